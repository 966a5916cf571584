#include "tests/unit/storage/support.h"

#include <catch2/catch.hpp>

#include "protocol/batch/batch_builder.h"

namespace cohort::storage::test {

std::vector<std::byte> make_batch(std::int64_t base_offset, int records, std::size_t value_bytes,
                                  std::int64_t timestamp_ms, unsigned seed) {
  protocol::BatchBuilder builder;
  protocol::BatchOptions options;
  options.base_offset = base_offset;
  builder.start(options);
  std::vector<std::byte> value(value_bytes);
  for (int i = 0; i < records; ++i) {
    for (std::size_t k = 0; k < value.size(); ++k)
      value[k] = static_cast<std::byte>(seed * 31 + k * 7 + std::size_t(i));
    builder.append(timestamp_ms + i, std::nullopt, std::span<const std::byte>(value));
  }
  const auto bytes = builder.finish();
  REQUIRE(bytes);
  return {bytes->begin(), bytes->end()};
}

std::vector<std::byte> make_batch_around(std::int64_t base_offset, std::span<const std::byte> value) {
  protocol::BatchBuilder builder;
  protocol::BatchOptions options;
  options.base_offset = base_offset;
  builder.start(options);
  builder.append(1000, std::nullopt, value);
  const auto bytes = builder.finish();
  REQUIRE(bytes);
  return {bytes->begin(), bytes->end()};
}

void Model::cut(std::int64_t end_offset) {
  while (!batches.empty() && batches.back().end_offset > end_offset) batches.pop_back();
}

std::vector<std::byte> Model::bytes(std::int64_t from, std::int64_t to) const {
  std::vector<std::byte> all;
  for (const Batch& batch : batches) {
    if (batch.end_offset > from && batch.base_offset < to)
      all.insert(all.end(), batch.bytes.begin(), batch.bytes.end());
  }
  return all;
}

Result<std::vector<std::byte>> read_all(const std::shared_ptr<Log>& log, std::size_t slice_bytes) {
  LogReader reader(log, log->start_offset(), log->end_offset(), slice_bytes);
  std::vector<std::byte> all;
  while (true) {
    const auto slice = reader.next();
    if (!slice) return std::unexpected(slice.error());
    if (slice->empty()) return all;
    all.insert(all.end(), slice->view().begin(), slice->view().end());
  }
}

LogHarness::LogHarness(LogOptions log_options) : options(log_options) {
  REQUIRE(fs.make_dir("/d"));
  REQUIRE(fs.sync_dir("/"));
  REQUIRE(Log::create_files(fs, "/d", options, 0));
  REQUIRE(open());
}

Result<void> LogHarness::open() {
  log.reset();
  auto opened = Log::open(fs, cache, "/d", options);
  if (!opened) return std::unexpected(opened.error());
  log = *opened;
  return {};
}

Result<void> LogHarness::append(int records, std::size_t value_bytes, std::int64_t timestamp_ms) {
  const std::int64_t base = log->end_offset();
  auto bytes = make_batch(base, records, value_bytes, timestamp_ms, ++seed_);
  if (auto appended = log->append(bytes); !appended) return appended;
  model.batches.push_back({base, base + records, std::move(bytes)});
  return {};
}

Result<void> LogHarness::append_and_sync(int records, std::size_t value_bytes, std::int64_t timestamp_ms) {
  if (auto appended = append(records, value_bytes, timestamp_ms); !appended) return appended;
  return log->sync();
}

void LogHarness::fill(int batches, std::size_t value_bytes) {
  for (int i = 0; i < batches; ++i) REQUIRE(append_and_sync(2, value_bytes, 1000 + 10 * i));
}

void LogHarness::kill_and_open() {
  fs.kill();
  const auto opened = open();
  INFO((opened ? std::string() : opened.error().message));
  REQUIRE(opened);
}

void LogHarness::check_equals_model() const {
  REQUIRE(log->end_offset() == model.end_offset());
  const auto bytes = read_all(log);
  INFO((bytes ? std::string() : bytes.error().message));
  REQUIRE(bytes);
  const bool is_equal = *bytes == model.bytes(log->start_offset(), log->end_offset());
  REQUIRE(is_equal);
}

}  // namespace cohort::storage::test
