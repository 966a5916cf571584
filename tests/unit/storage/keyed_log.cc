#include "tests/unit/storage/keyed_log.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "protocol/batch/record.h"

namespace cohort::storage::test {
namespace {

protocol::NullableSpan span_of(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  return bytes_of(*text);
}

std::optional<std::string> text_of(const protocol::NullableSpan& bytes) {
  if (!bytes) return std::nullopt;
  return std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size());
}

// Calls fn(batch) for each.
template <typename Fn>
Result<void> for_each_batch(const std::shared_ptr<Log>& log, std::int64_t from_offset, Fn fn) {
  LogReader reader(log, from_offset, log->end_offset(), 300);
  std::int64_t expected = 0;
  while (true) {
    const auto slice = reader.next();
    if (!slice) return std::unexpected(slice.error());
    if (slice->empty()) break;
    protocol::BatchReader batches(slice->view());
    while (true) {
      const auto batch = batches.next();
      REQUIRE(batch);
      if (!*batch) break;
      REQUIRE((*batch)->base_offset() >= expected);
      expected = (*batch)->last_offset() + 1;
      REQUIRE(expected > from_offset);
      fn(**batch);
    }
  }
  REQUIRE(reader.next_offset() == log->end_offset());
  return {};
}

}  // namespace

std::vector<std::byte> make_keyed_batch(const std::vector<KeyedRecord>& records, protocol::BatchOptions options) {
  protocol::BatchBuilder builder;
  builder.start(options);
  for (const KeyedRecord& record : records) {
    builder.append(record.timestamp_ms, span_of(record.key), span_of(record.value));
  }
  const auto bytes = builder.finish();
  REQUIRE(bytes);
  return {bytes->begin(), bytes->end()};
}

Result<std::vector<StoredRecord>> read_records(const std::shared_ptr<Log>& log, std::int64_t from_offset) {
  std::vector<StoredRecord> all;
  protocol::ByteBuffer scratch;
  const auto read = for_each_batch(log, from_offset, [&](const protocol::BatchView& batch) {
    REQUIRE(protocol::for_each_record(batch, 1 << 20, scratch, [&](const protocol::RecordView& record) {
      all.push_back({record.offset, {text_of(record.key), text_of(record.value), record.timestamp_ms}});
    }));
  });
  if (!read) return std::unexpected(read.error());
  return all;
}

std::vector<std::string> listing(const std::shared_ptr<Log>& log) {
  std::vector<std::string> lines;
  protocol::ByteBuffer scratch;
  const auto read = for_each_batch(log, log->start_offset(), [&](const protocol::BatchView& batch) {
    if (batch.records_count() == 0) lines.push_back(fmt::format("[{}-{}]", batch.base_offset(), batch.last_offset()));
    REQUIRE(protocol::for_each_record(batch, 1 << 20, scratch, [&](const protocol::RecordView& record) {
      const std::string key = text_of(record.key).value_or("null");
      const auto value = text_of(record.value);
      lines.push_back(value ? fmt::format("{}:{}={}", record.offset, key, *value)
                            : fmt::format("{}:{}", record.offset, key));
    }));
  });
  INFO((read ? std::string() : read.error().message));
  REQUIRE(read);
  return lines;
}

void apply(KeyValues& state, const KeyedRecord& record) {
  if (!record.key) return;
  if (record.value)
    state[*record.key] = *record.value;
  else
    state.erase(*record.key);
}

KeyValues state_of(const std::vector<StoredRecord>& records) {
  KeyValues state;
  for (const StoredRecord& stored : records) apply(state, stored.record);
  return state;
}

}  // namespace cohort::storage::test
