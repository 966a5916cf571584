// Which epoch begins and ends where, in memory, in the checkpoint file and over a restart.
#include "server/storage/leader_epochs.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <cerrno>

#include "protocol/batch/crc32c.h"
#include "protocol/batch/record_batch.h"
#include "server/storage/checkpoint.h"
#include "tests/unit/storage/support.h"

namespace cohort::storage {
namespace {

using test::LogHarness;

LeaderEpochs epochs_of(const std::vector<EpochStart>& starts) {
  LeaderEpochs epochs;
  for (const EpochStart& start : starts) epochs.add(start.epoch, start.first_offset);
  return epochs;
}
std::vector<EpochStart> entries_of(const LeaderEpochs& epochs) {
  return {epochs.entries().begin(), epochs.entries().end()};
}

TEST_CASE("The end of an epoch is the start of the next one that is known", "[epochs]") {
  const LeaderEpochs epochs = epochs_of({{1, 10}, {3, 25}, {6, 40}});
  CHECK(epochs.end_of(1, 6, 50) == EpochEnd{1, 25});
  CHECK(epochs.end_of(2, 6, 50) == EpochEnd{1, 25});  // without a batch: the one before
  CHECK(epochs.end_of(3, 6, 50) == EpochEnd{3, 40});
  CHECK(epochs.end_of(6, 6, 50) == EpochEnd{6, 50});
  CHECK(epochs.end_of(0, 6, 50) == EpochEnd{0, 10});  // its records are gone
  CHECK(epochs.end_of(7, 6, 50) == EpochEnd{});       // of a future that is not ours
  CHECK(epochs.end_of(kNoEpoch, 6, 50) == EpochEnd{});
}

TEST_CASE("The current epoch has an end before it has a batch", "[epochs]") {
  const LeaderEpochs epochs = epochs_of({{1, 10}, {3, 25}});
  CHECK(epochs.end_of(8, 8, 50) == EpochEnd{8, 50});
  CHECK(epochs.end_of(3, 8, 50) == EpochEnd{3, 50});
  CHECK(epochs.end_of(5, 8, 50) == EpochEnd{3, 50});
  CHECK(LeaderEpochs().end_of(8, 8, 0) == EpochEnd{8, 0});
  CHECK(LeaderEpochs().end_of(5, 8, 0) == EpochEnd{5, 0});
  // All records of an epoch were deleted, and the next one begins at the same offset: it is the one that counts.
  const LeaderEpochs emptied = epochs_of({{3, 50}});
  CHECK(emptied.end_of(5, 8, 50) == EpochEnd{5, 50});
  CHECK(emptied.end_of(5, 8, 51) == EpochEnd{3, 51});
}

TEST_CASE("An epoch that cannot be yet counts as not there", "[epochs]") {
  const LeaderEpochs epochs = epochs_of({{1, 10}, {1 << 30, 25}});
  CHECK(epochs.end_of(1, 3, 50) == EpochEnd{1, 50});
  CHECK(epochs.end_of(2, 3, 50) == EpochEnd{1, 50});
  CHECK(epochs.epoch_at(30, 3, 50) == 1);
}

TEST_CASE("The epoch of an offset", "[epochs]") {
  const LeaderEpochs epochs = epochs_of({{1, 10}, {3, 25}});
  CHECK(epochs.epoch_at(10, 3, 30) == 1);
  CHECK(epochs.epoch_at(24, 3, 30) == 1);
  CHECK(epochs.epoch_at(25, 3, 30) == 3);
  CHECK(epochs.epoch_at(9, 3, 30) == kNoEpoch);
  CHECK(epochs.epoch_at(29, 7, 30) == 3);
  CHECK(epochs.epoch_at(30, 7, 30) == 7);
  CHECK(LeaderEpochs().epoch_at(0, 7, 0) == 7);
}

TEST_CASE("Epochs follow the ends of the log", "[epochs]") {
  LeaderEpochs epochs = epochs_of({{1, 10}, {3, 25}, {6, 40}});
  epochs.add(6, 45);
  epochs.add(5, 46);
  epochs.add(kNoEpoch, 47);
  CHECK(epochs == epochs_of({{1, 10}, {3, 25}, {6, 40}}));
  epochs.cut_from(40);
  CHECK(entries_of(epochs) == std::vector<EpochStart>{{1, 10}, {3, 25}});
  epochs.add(7, 40);
  epochs.cut_before(12);
  CHECK(entries_of(epochs) == std::vector<EpochStart>{{1, 12}, {3, 25}, {7, 40}});
  epochs.cut_before(25);
  CHECK(entries_of(epochs) == std::vector<EpochStart>{{3, 25}, {7, 40}});
  epochs.cut_before(100);
  CHECK(entries_of(epochs) == std::vector<EpochStart>{{7, 100}});
  epochs.add(9, 100);  // nothing of 7 is left
  CHECK(entries_of(epochs) == std::vector<EpochStart>{{9, 100}});
}

TEST_CASE("Only so many epochs are kept, the oldest go", "[epochs]") {
  LeaderEpochs epochs;
  const auto count = static_cast<std::int32_t>(LeaderEpochs::kMaxEntries) + 5;
  for (std::int32_t epoch = 0; epoch < count; ++epoch) epochs.add(epoch, std::int64_t{1'000'000'000'000} * epoch);
  CHECK(epochs.entries().size() == LeaderEpochs::kMaxEntries);
  CHECK(epochs.entries().front().epoch == 5);
  // And the file that carries them can be read.
  Checkpoint checkpoint;
  checkpoint.recovery_offset = kMaxOffset;
  checkpoint.epochs = epochs;
  CHECK(to_text(checkpoint).size() < 64 * 1024);
  CHECK(parse_checkpoint(to_text(checkpoint))->epochs == epochs);
}

// With the checksum that belongs to it.
std::string signed_text(std::string text) {
  return text + fmt::format("crc32c={:08x}\n", protocol::crc32c(text));
}
std::string checkpoint_with(std::string_view epochs_line) {
  return signed_text(
      fmt::format("version=1\nlog=\nstart_offset=5\nrecovery_offset=77\nsegment_base=0\nposition=9\nwindow_bytes=0\n"
                  "one_batch=0\nrising_offset=0\ncleaned_offset=0\n{}",
                  epochs_line));
}

TEST_CASE("A checkpoint has a line of epochs, which may be empty", "[epochs][checkpoint]") {
  CHECK(parse_checkpoint(checkpoint_with("")).error().kind == ErrorKind::kCorrupt);
  CHECK(parse_checkpoint(checkpoint_with("epochs=\n"))->epochs == LeaderEpochs());
  CHECK(parse_checkpoint(checkpoint_with("epochs=0:5,4:77\n"))->epochs == epochs_of({{0, 5}, {4, 77}}));
}

TEST_CASE("Epochs that cannot be are damage", "[epochs][checkpoint]") {
  for (const char* text : {"0", "0:", ":5", "0:5,0:6", "1:5,0:6", "0:5,1:5", "0:5,1:4", "-1:5", "0:-5", "0:78",
                           "0:5;1:6", "0 5", "x", "4294967296:5", ","}) {
    INFO(text);
    const auto parsed = parse_checkpoint(checkpoint_with(fmt::format("epochs={}\n", text)));
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().kind == ErrorKind::kCorrupt);
  }
}

Result<void> append_in(LogHarness& h, std::int32_t epoch, int batches = 1) {
  for (int i = 0; i < batches; ++i) {
    auto batch = test::make_batch(h.log->end_offset(), 2);
    protocol::set_partition_leader_epoch(batch, epoch);
    if (auto appended = h.log->append(batch); !appended) return appended;
  }
  return h.log->sync();
}

TEST_CASE("A log knows its epochs again after a kill, a close and a deletion", "[epochs][log]") {
  LogHarness h;
  REQUIRE(append_in(h, 0, 3));  // 0..5
  REQUIRE(append_in(h, 2, 1));  // 6..7
  const auto check = [&](std::int32_t current) {
    CHECK(h.log->end_of_epoch(0, current) == EpochEnd{0, 6});
    CHECK(h.log->end_of_epoch(1, current) == EpochEnd{0, 6});
    CHECK(h.log->end_of_epoch(2, current) == EpochEnd{2, 8});
    CHECK(h.log->epoch_at(6, current) == 2);
  };
  check(2);
  h.kill_and_open();
  check(3);
  REQUIRE(h.log->close());
  REQUIRE(h.open());
  CHECK(h.log->recovery().batches_scanned == 0);
  check(4);
  REQUIRE(append_in(h, 4, 60));  // several segments
  check(4);
  h.kill_and_open();
  check(5);
  CHECK(h.log->end_of_epoch(4, 5) == EpochEnd{4, 128});
  REQUIRE(h.log->delete_before(7));
  CHECK(h.log->end_of_epoch(0, 5) == EpochEnd{0, 7});
  CHECK(h.log->end_of_epoch(2, 5) == EpochEnd{2, 8});
  REQUIRE(h.log->delete_before(128));
  h.kill_and_open();
  CHECK(h.log->end_of_epoch(4, 5) == EpochEnd{4, 128});
  CHECK(h.log->epoch_at(128, 5) == 5);
}

TEST_CASE("What a failed sync takes is not remembered", "[epochs][log]") {
  const test::Quiet quiet;
  LogHarness h;
  REQUIRE(append_in(h, 0));
  auto batch = test::make_batch(h.log->end_offset(), 2);
  protocol::set_partition_leader_epoch(batch, 1);
  REQUIRE(h.log->append(batch));
  CHECK(h.log->end_of_epoch(0, 1) == EpochEnd{0, 2});
  h.fs.fail(MemFs::Op::kSync, 1, EIO);
  REQUIRE_FALSE(h.log->sync());
  REQUIRE(h.log->seal());
  REQUIRE(append_in(h, 3));
  CHECK(h.log->end_of_epoch(1, 3) == EpochEnd{0, 2});
  h.kill_and_open();
  CHECK(h.log->end_of_epoch(1, 3) == EpochEnd{0, 2});
  CHECK(h.log->end_of_epoch(3, 4) == EpochEnd{3, 4});
}

}  // namespace
}  // namespace cohort::storage
