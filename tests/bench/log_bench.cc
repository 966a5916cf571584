// How fast a log of a million small batches, and one of a million records in batches, is appended, opened and replayed.
// Run by hand: log_bench FOLDER (on the disk to be measured; it must be empty or not exist).
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "protocol/batch/batch_builder.h"
#include "server/storage/log.h"
#include "server/storage/log_reader.h"
#include "server/storage/posix_fs.h"

namespace {

using namespace cohort;
using namespace cohort::storage;

constexpr std::int64_t kRecords = 1'000'000;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

template <typename T>
T must(Result<T> result) {
  if (result) return std::move(*result);
  fmt::print(stderr, "{}\n", result.error().message);
  std::exit(1);
}
void must(Result<void> result) {
  if (result) return;
  fmt::print(stderr, "{}\n", result.error().message);
  std::exit(1);
}

// The size of an offset commit's record.
std::vector<std::byte> make_batch(std::int64_t base_offset, int records) {
  static const std::vector<std::byte> key(40, std::byte{'k'});
  static const std::vector<std::byte> value(30, std::byte{'v'});
  protocol::BatchBuilder builder;
  protocol::BatchOptions options;
  options.base_offset = base_offset;
  builder.start(options);
  for (int i = 0; i < records; ++i) builder.append(base_offset + i, std::span(key), std::span(value));
  const auto bytes = must(builder.finish());
  return {bytes.begin(), bytes.end()};
}

void measure(Fs& fs, const std::string& dir, int records_per_batch, bool is_clean) {
  SegmentCache cache(128);
  LogOptions options{.durability = Durability::kSync};
  options.segment_bytes = 100 << 20;
  must(fs.make_dir(dir));
  must(Log::create_files(fs, dir, options, 0));
  auto log = must(Log::open(fs, cache, dir, options));
  auto start = std::chrono::steady_clock::now();
  for (std::int64_t offset = 0; offset < kRecords; offset += records_per_batch) {
    must(log->append(make_batch(offset, records_per_batch)));
  }
  must(log->sync());
  const double append_seconds = seconds_since(start);
  if (is_clean) must(log->close());
  log.reset();

  start = std::chrono::steady_clock::now();
  log = must(Log::open(fs, cache, dir, options));
  const double open_seconds = seconds_since(start);
  start = std::chrono::steady_clock::now();
  LogReader reader(log, 0, log->end_offset());
  std::uint64_t bytes = 0;
  while (true) {
    const auto slice = must(reader.next());
    if (slice.empty()) break;
    bytes += slice.size();
  }
  const double replay_seconds = seconds_since(start);
  constexpr int kReads = 100'000;
  start = std::chrono::steady_clock::now();
  for (int i = 0; i < kReads; ++i) {
    must(log->read(i * 7919LL % kRecords, 1000, std::numeric_limits<std::int64_t>::max(), true));
  }
  const double read_us = seconds_since(start) * 1e6 / kReads;
  fmt::print(
      "{} records in batches of {:4}, {}: {} MB, append {:.2f} s, open {:.1f} ms ({} batches scanned), "
      "replay with checksums {:.0f} ms, random read {:.1f} us\n",
      kRecords, records_per_batch, is_clean ? "closed" : "killed", bytes / 1'000'000, append_seconds,
      open_seconds * 1e3, log->recovery().batches_scanned, replay_seconds * 1e3, read_us);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "usage: log_bench FOLDER\n");
    return 2;
  }
  PosixFs fs;
  const std::string folder = argv[1];
  std::filesystem::create_directories(folder);
  int number = 0;
  for (const int records_per_batch : {1, 100}) {
    for (const bool is_clean : {true, false}) {
      measure(fs, fmt::format("{}/bench-{}", folder, number++), records_per_batch, is_clean);
    }
  }
  return 0;
}
