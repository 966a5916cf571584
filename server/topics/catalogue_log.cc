#include "server/topics/catalogue_log.h"

#include <fmt/format.h>

#include <algorithm>

#include "protocol/batch/batch_builder.h"
#include "protocol/batch/record.h"
#include "protocol/wire/byte_buffer.h"
#include "server/storage/log_reader.h"
#include "server/storage/log_set.h"
#include "server/topics/topic_name.h"

namespace cohort::topics {
namespace {

constexpr std::size_t kMaxBatchBytes = std::size_t{64} << 20;
constexpr std::size_t kAtOnce = std::size_t{1} << 20;  // bytes of a snapshot in one append, about
constexpr std::int64_t kSlack = 1000;                  // records that the log may hold beyond twice the live ones

// Small, so that nearly all of it is below the recovery point, where not even a file that was cut short goes unnoticed.
constexpr std::uint64_t kCheckpointBytes = 4096;

// Which topic ids are random; this one stands for the catalogue itself in every data folder.
constexpr protocol::Uuid kCatalogueId(0, 2);

storage::LogOptions options() {
  storage::LogOptions options;
  options.durability = storage::Durability::kSync;
  options.one_batch_at_a_time = true;
  options.checkpoint_bytes = kCheckpointBytes;
  return options;
}

Result<void> apply_batch(const protocol::BatchView& batch, CatalogueCore& core, protocol::ByteBuffer& scratch) {
  return protocol::for_each_record(batch, kMaxBatchBytes, scratch,
                                   [&](const protocol::RecordView& record) -> Result<void> {
                                     if (!record.key)
                                       return fail(ErrorKind::kCorrupt, "a record of the catalogue has no key");
                                     const auto parsed = protocol::parse_catalogue_record(*record.key, record.value);
                                     if (!parsed) return std::unexpected(parsed.error());
                                     return core.apply(*parsed);
                                   });
}

}  // namespace

storage::LogId CatalogueLog::log_id() {
  return {protocol::TopicName(std::string(kCatalogueTopic)), protocol::TopicId(kCatalogueId), 0};
}

Result<CatalogueLog> CatalogueLog::open(storage::LogSet& logs) {
  auto log = logs.open_or_create(log_id(), options());
  if (!log) return std::unexpected(std::move(log.error()));
  return CatalogueLog(std::move(*log));
}

Result<void> CatalogueLog::replay(CatalogueCore& core) {
  storage::LogReader reader(log_, log_->start_offset(), log_->end_offset());
  protocol::ByteBuffer scratch;
  while (true) {
    const auto slice = reader.next();
    if (!slice) return std::unexpected(slice.error());
    if (slice->empty()) return {};
    protocol::BatchReader batches(slice->view());
    while (true) {
      const auto batch = batches.next();
      if (!batch) return std::unexpected(batch.error());
      if (!*batch) break;
      if (auto applied = apply_batch(**batch, core, scratch); !applied) {
        return fail(ErrorKind::kCorrupt, fmt::format("{}, batch at offset {}: {}", log_->dir(), (*batch)->base_offset(),
                                                     applied.error().message));
      }
    }
  }
}

// All in one batch, which the log takes whole or not at all: after a failure nothing of it may be replayed.
Result<void> CatalogueLog::append(std::span<const protocol::CatalogueRecord> records, std::int64_t now_ms) {
  protocol::BatchOptions batch;
  batch.base_offset = log_->end_offset();
  batch.partition_leader_epoch = 0;
  protocol::BatchBuilder builder;
  builder.start(batch);
  protocol::ByteBuffer key;
  protocol::ByteBuffer value;
  for (const protocol::CatalogueRecord& record : records) {
    key.clear();
    value.clear();
    const auto has_value = protocol::write_catalogue_record(record, key, value);
    if (!has_value) return std::unexpected(has_value.error());
    builder.append(now_ms, key.view(), *has_value ? protocol::NullableSpan(value.view()) : std::nullopt);
  }
  const auto bytes = builder.finish();
  if (!bytes) return std::unexpected(bytes.error());
  return log_->append(*bytes);
}

Result<void> CatalogueLog::write(const std::vector<protocol::CatalogueRecord>& records, std::int64_t now_ms) {
  if (auto appended = append(records, now_ms); !appended) return appended;
  return log_->sync();
}

Result<void> CatalogueLog::note(const std::vector<protocol::CatalogueRecord>& records, std::int64_t now_ms) {
  return append(records, now_ms);
}

Result<void> CatalogueLog::replace_all(const std::vector<protocol::CatalogueRecord>& snapshot, std::int64_t now_ms) {
  if (auto rolled = log_->roll(); !rolled) return rolled;
  const std::int64_t first = log_->end_offset();
  // In pieces, of which any number may be there: each only says again what the records before it came to. But the mark
  // of what is carried out takes effect on all before it, also on what the old records leave open: it is there together
  // with all behind it, or not at all.
  const auto is_mark = [](const protocol::CatalogueRecord& record) {
    return std::holds_alternative<protocol::CatalogueCarriedOutRecord>(record);
  };
  const auto mark = std::ranges::find_if(snapshot, is_mark);
  for (auto rest = std::span(snapshot.begin(), mark); !rest.empty();) {
    std::size_t count = 0;
    for (std::size_t bytes = 0; count < rest.size() && bytes < kAtOnce; ++count) bytes += estimated_bytes(rest[count]);
    if (auto appended = append(rest.first(count), now_ms); !appended) return appended;
    rest = rest.subspan(count);
  }
  if (const auto last = std::span(mark, snapshot.end()); !last.empty()) {
    if (auto appended = append(last, now_ms); !appended) return appended;
  }
  if (auto synced = log_->sync(); !synced) return synced;
  return log_->delete_before(first);
}

Result<void> CatalogueLog::recover() {
  return log_->needs_seal() ? log_->seal() : Result<void>{};
}

std::int64_t CatalogueLog::end_offset() const {
  return log_->end_offset();
}

bool CatalogueLog::is_long(std::size_t live) const {
  return log_->end_offset() - log_->start_offset() > 2 * static_cast<std::int64_t>(live) + kSlack;
}

}  // namespace cohort::topics
