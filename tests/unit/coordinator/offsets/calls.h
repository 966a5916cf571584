// Offset requests in one line, and their answers as text: "t:0=0 t:1=12" is topic, partition and error code.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/coordinator/harness.h"

namespace cohort::coordinator::testing {

// What a commit says besides group, topic and offsets.
struct CommitAs {
  std::string member = {};
  std::int32_t epoch = -1;
  std::int16_t version = 9;
  std::optional<std::string> metadata = std::nullopt;
  std::int32_t leader_epoch = -1;
  std::int64_t retention_time_ms = -1;
  std::int64_t metadata_version = 0;
  std::optional<protocol::Uuid> topic_id = std::nullopt;  // else that of the topic of this name
};
using Offsets = std::vector<std::pair<std::int32_t, std::int64_t>>;  // partition, offset

CommitOffsets commit_request(const Harness& h, const std::string& group, const std::string& topic,
                             const Offsets& offsets, CommitAs as = {});
std::string commit(Harness& h, const std::string& group, const std::string& topic, const Offsets& offsets,
                   CommitAs as = {});
std::string answer(const protocol::OffsetCommitResponse& response);

// What a fetch says besides group and topics.
struct FetchAs {
  std::optional<std::string> member = std::nullopt;
  std::int32_t epoch = -1;
  bool require_stable = false;
  protocol::Uuid topic_id = {};  // version 10 names topics by id
};
// "t:0=42 t:1=-1", with "@3" for a leader epoch and "'note'" for metadata; "error 113" when the group answers one.
std::string fetch(Harness& h, const std::string& group, const std::string& topic, std::vector<std::int32_t> partitions,
                  FetchAs as = {});
std::string fetch_all(Harness& h, const std::string& group, FetchAs as = {});

// "t:0=0 t:1=86", or "error 69".
std::string delete_offsets(Harness& h, const std::string& group, const std::string& topic,
                           std::vector<std::int32_t> partitions);

}  // namespace cohort::coordinator::testing
