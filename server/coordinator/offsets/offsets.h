// What the coordinator asks of the offsets family: commit, fetch, delete, expire, and forgetting deleted topics.
// Free functions over const state, called on the shard's thread; whatever is to change goes into step.output.
// Behaviour follows Kafka's OffsetMetadataManager (4.3.1).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "server/coordinator/core/step.h"

namespace cohort::coordinator {

// --- requests and other inputs ---
void handle_commit_offsets(const Step& step, ReplyToken token, const CommitOffsets& request);
void handle_fetch_offsets(const Step& step, ReplyToken token, const FetchOffsets& request);
void handle_delete_offsets(const Step& step, ReplyToken token, const DeleteOffsets& request);
// TimerKind::kOffsetExpiration: expired offsets and groups that thereby became superfluous; and the rest of a sweep.
void on_offset_expiration_timer(const Step& step);
void on_offsets_metadata(const Step& step);
void on_offsets_loaded(const Step& step);

// --- hard state ---
// offset: of the record in the log. Nothing in these records can be impossible.
void apply_offset_commit(OffsetsState& state, const protocol::OffsetCommitRecord& record, std::int64_t offset);
// As Kafka before 0.9 wrote them.
void apply_offset_commit(OffsetsState& state, const protocol::LegacyOffsetCommitRecord& record, std::int64_t offset);
// Appends the offsets in canonical form, one per line: equal states give equal texts. last_deletion is left out:
// compaction removes what it remembers, and only replies of the running process rest on it.
void dump_offsets(const OffsetsState& state, std::string& out);

// --- for others ---
protocol::GroupRecord offset_tombstone(std::string_view group, std::string_view topic, std::int32_t partition);
// Tombstones of all offsets of a group that is being deleted, by topic and partition.
void append_offset_tombstones(std::string_view group, const OffsetsState& state, Output& output);

}  // namespace cohort::coordinator
