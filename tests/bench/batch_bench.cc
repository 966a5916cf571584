// How fast checksums go and batches are built and read. Not a test.
//   build/release/tests/bench/batch_bench
#include <fmt/format.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "protocol/batch/batch_builder.h"
#include "protocol/batch/crc32c.h"
#include "protocol/batch/produce_validation.h"
#include "protocol/batch/record.h"
#include "protocol/wire/byte_buffer.h"

namespace {

using namespace cohort::protocol;

// Calls fn, which says how many bytes it worked on, for about half a second; prints GB/s and, with records, ns for
// each.
template <typename Fn>
void measure(const char* name, std::size_t records_per_call, Fn fn) {
  using Clock = std::chrono::steady_clock;
  std::size_t calls = 0;
  std::size_t bytes = 0;
  const auto begin = Clock::now();
  double seconds = 0;
  while (seconds < 0.5) {
    for (int i = 0; i < 16; ++i) bytes += fn();
    calls += 16;
    seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  }
  fmt::print("{:<44}{:>8.2f} GB/s", name, static_cast<double>(bytes) / seconds / 1e9);
  if (records_per_call > 0) {
    fmt::print("{:>9.1f} ns per record", seconds * 1e9 / static_cast<double>(calls * records_per_call));
  }
  fmt::print("\n");
}

}  // namespace

int main() {
  std::vector<std::byte> noise(1 << 20);
  for (std::size_t i = 0; i < noise.size(); ++i) noise[i] = static_cast<std::byte>(i * 2'654'435'761U >> 13);
  volatile std::uint32_t sink = 0;
  for (const std::size_t size : {100U, 1000U, 16'384U, 1'048'576U}) {
    const auto part = std::span<const std::byte>(noise).first(size);
    if (detail::crc32c_has_instruction()) {
      measure(fmt::format("crc32c, instruction, {} bytes", size).c_str(), 0, [&] {
        sink = detail::crc32c_instruction(part, sink);
        return size;
      });
    }
    measure(fmt::format("crc32c, tables, {} bytes", size).c_str(), 0, [&] {
      sink = detail::crc32c_tables(part, sink);
      return size;
    });
  }

  constexpr std::size_t kRecords = 100;
  BatchBuilder builder;
  for (const std::size_t value_size : {20U, 100U, 1000U}) {
    const auto key = std::span<const std::byte>(noise).first(30);
    const auto value = std::span<const std::byte>(noise).subspan(64, value_size);
    const auto build = [&](Compression compression) {
      builder.start({.compression = compression});
      for (std::size_t i = 0; i < kRecords; ++i) {
        builder.append(1'700'000'000'000 + static_cast<std::int64_t>(i), key, value);
      }
      return builder.finish().value();
    };
    measure(fmt::format("build, values of {} bytes", value_size).c_str(), kRecords,
            [&] { return build(Compression::kNone).size(); });
    const auto batch = build(Compression::kNone);
    const std::vector<std::byte> bytes(batch.begin(), batch.end());
    ByteBuffer scratch;
    const ProduceRules rules{.produce_version = 9, .max_decompressed_bytes = 1 << 20, .now_ms = 1'700'000'000'000};
    measure(fmt::format("validate, values of {} bytes", value_size).c_str(), kRecords, [&] {
      sink = sink + static_cast<std::uint32_t>(validate_produced_batch(bytes, rules, scratch)->records_count);
      return bytes.size();
    });
    const auto packed = build(Compression::kZstd);
    const std::vector<std::byte> packed_bytes(packed.begin(), packed.end());
    measure(fmt::format("validate zstd, values of {} bytes", value_size).c_str(), kRecords, [&] {
      sink = sink + static_cast<std::uint32_t>(validate_produced_batch(packed_bytes, rules, scratch)->records_count);
      return bytes.size();
    });
  }
  return 0;
}
