// A disk that refuses: full, failing writes, failing syncs. The log stays at its last good end.
#include <catch2/catch.hpp>
#include <cerrno>
#include <random>

#include "tests/unit/storage/support.h"

namespace cohort::storage {
namespace {

using Op = MemFs::Op;
using test::LogHarness;
using test::Quiet;

TEST_CASE("A full disk: the append fails with ENOSPC, the log ends where it did, and goes on when there is room",
          "[log][fault]") {
  LogHarness h;
  h.fill(3);
  const std::uint64_t size = h.log->size_bytes();
  for (std::uint64_t room = 0; room < 200; room += 7) {
    h.fs.set_free_bytes(room);
    const auto failed = h.append(2, 300);
    REQUIRE(failed.error().kind == ErrorKind::kIo);
    REQUIRE(failed.error().os_error == ENOSPC);
    REQUIRE_FALSE(h.log->needs_seal());
    REQUIRE(h.log->end_offset() == 6);
    REQUIRE(h.fs.contents(h.path(0)).size() == size);  // no torn end
  }
  h.fs.set_free_bytes(std::nullopt);
  h.fill(3);
  h.check_equals_model();
  h.kill_and_open();
  CHECK(h.log->recovery().bytes_cut == 0);
  h.check_equals_model();
}

TEST_CASE("A full disk: records can still be deleted, which makes room; a crash at any point leaves the log whole",
          "[log][fault]") {
  const Quiet quiet;
  // An index has to have the size of a checkpoint here; on a disk a block is enough.
  LogOptions options = test::small_log();
  options.segment_bytes = 512 * 1024;
  options.checkpoint_bytes = 512 * 1024;
  options.max_unsynced_bytes = 512 * 1024;
  for (std::uint64_t stop = 0;; ++stop) {
    LogHarness h(options);
    for (int i = 0; i < 100; ++i) REQUIRE(h.append_and_sync(1, 16'000));
    h.fs.set_free_bytes(0);
    if (stop > 0) h.fs.stop_after(stop - 1);
    const auto deleted = h.log->delete_before(70);
    const bool stopped = h.fs.stopped();
    if (stop == 0) {
      INFO((deleted ? std::string() : deleted.error().message));
      REQUIRE(deleted.has_value());
    }
    if (deleted && !stopped) CHECK(h.log->start_offset() == 70);
    h.fs.set_free_bytes(std::nullopt);
    std::mt19937_64 random(stop);
    h.log.reset();
    h.fs.crash(random);
    h.fs.clear_faults();
    REQUIRE(h.open());
    CHECK((h.log->start_offset() == 0 || h.log->start_offset() == 70));
    if (deleted) CHECK(h.log->start_offset() == 70);
    h.check_equals_model();
    REQUIRE(h.append_and_sync());
    if (stop > 0 && !stopped) break;
  }
}

TEST_CASE("What could not be removed when the start was raised goes with the next deletion, though it raises nothing",
          "[log][fault]") {
  LogHarness h;
  h.fill(3);
  REQUIRE(h.log->delete_before(h.log->end_offset()));  // the last segment stays
  REQUIRE(h.log->roll());
  REQUIRE(h.log->delete_before(h.log->end_offset()));
  CHECK(h.log->segments().size() == 1);
  CHECK(h.log->size_bytes() == 0);
}

TEST_CASE("The folder is synced with the first sync after an open; when that fails, what was written counts as lost",
          "[log][fault]") {
  const Quiet quiet;
  LogHarness h;
  h.fs.fail(Op::kSyncDir, 1, EIO);
  REQUIRE(h.append());
  CHECK(h.log->sync().error().kind == ErrorKind::kIo);
  CHECK(h.log->needs_seal());
  h.fs.clear_faults();
  REQUIRE(h.log->seal());
  CHECK(h.log->end_offset() == 0);
  h.model.cut(0);
  h.fill(2);
  h.check_equals_model();
}

TEST_CASE("A full disk while rolling: appends fail until there is room, nothing is lost", "[log][fault]") {
  LogHarness h;
  while (h.log->size_bytes() < 1900) h.fill(1);
  h.fs.set_free_bytes(10);
  for (int i = 0; i < 3; ++i) CHECK(h.append(2, 100).error().os_error == ENOSPC);
  h.fs.set_free_bytes(std::nullopt);
  h.fill(5);
  CHECK(h.log->segments().size() == 2);
  h.check_equals_model();
  h.kill_and_open();
  h.check_equals_model();
}

TEST_CASE("A log on a full disk opens and is read; it takes writes when there is room", "[log][fault]") {
  const Durability durability = GENERATE(Durability::kSync, Durability::kOs);
  const Quiet quiet;
  LogHarness h(test::small_log(durability));
  h.fill(40);
  REQUIRE(h.log->sync());
  REQUIRE(h.log->segments().size() > 2);
  const std::string index = index_path("/d", h.log->segments()[1].base_offset);
  h.log.reset();
  REQUIRE(h.fs.remove(index));
  h.fs.set_free_bytes(0);
  for (int start = 0; start < 2; ++start) {
    REQUIRE(h.open());
    h.check_equals_model();
    CHECK(h.append(2, 100).error().os_error == ENOSPC);
    h.log.reset();
  }
  h.fs.set_free_bytes(std::nullopt);
  REQUIRE(h.open());
  h.fill(5);
  h.check_equals_model();
  h.kill_and_open();
  h.check_equals_model();
}

TEST_CASE("A roll that failed after the new file was made leaves no way to write beyond it", "[log][fault]") {
  const Op op = GENERATE(Op::kOpen, Op::kSync, Op::kSyncDir, Op::kRename, Op::kWrite);
  const std::uint64_t nth = GENERATE(1U, 2U, 3U);
  const Quiet quiet;
  LogHarness h;
  h.fill(4);
  h.fs.fail(op, nth, EIO);
  static_cast<void>(h.log->roll());
  h.fs.clear_faults();
  if (h.log->needs_seal()) REQUIRE(h.log->seal());
  h.fill(2);
  h.check_equals_model();
  h.kill_and_open();
  h.check_equals_model();
  CHECK(h.log->recovery().bytes_cut == 0);
}

TEST_CASE("A failing write is cut off again; if that fails, too, the log must be sealed", "[log][fault]") {
  const Quiet quiet;
  LogHarness h;
  h.fill(3);
  h.fs.fail(Op::kWrite, 1, EIO);
  SECTION("cut off") {
    CHECK(h.append(2, 300).error().os_error == EIO);
    CHECK_FALSE(h.log->needs_seal());
  }
  SECTION("not cut off") {
    h.fs.fail(Op::kTruncate, 1, EIO);
    CHECK(h.append(2, 300).error().os_error == EIO);
    CHECK(h.log->needs_seal());
    CHECK(h.append(2, 300).error().kind == ErrorKind::kIo);
    REQUIRE(h.log->seal());
  }
  h.fill(3);
  h.check_equals_model();
  h.kill_and_open();
  h.check_equals_model();
}

TEST_CASE("After a failed sync the unsynced range is lost, sealed, and writing goes on in a new segment",
          "[log][fault]") {
  const Quiet quiet;
  LogHarness h;
  h.fill(3);
  REQUIRE(h.append());
  REQUIRE(h.append());
  h.fs.fail(Op::kSync, 1, EIO);
  CHECK(h.log->sync().error().os_error == EIO);
  CHECK(h.log->needs_seal());
  CHECK(h.log->durable_offset() == 6);
  CHECK(h.log->append(test::make_batch(8)).error().kind == ErrorKind::kIo);
  CHECK(h.log->sync().error().kind == ErrorKind::kIo);
  CHECK(h.log->delete_before(3).error().kind == ErrorKind::kIo);
  CHECK(h.log->close().error().kind == ErrorKind::kIo);

  REQUIRE(h.log->seal());
  CHECK(h.log->end_offset() == 6);
  CHECK(h.log->read(6, 100, 100, true)->batches.empty());
  CHECK(h.log->read(7, 100, 100, true).error().kind == ErrorKind::kNotFound);
  CHECK(h.log->segments().back().base_offset == 6);
  h.model.cut(6);
  h.fill(3);
  h.check_equals_model();
  h.kill_and_open();
  h.check_equals_model();
}

TEST_CASE("A failed sync before anything in the segment was durable replaces the file", "[log][fault]") {
  const Quiet quiet;
  LogHarness h;
  REQUIRE(h.append());
  h.fs.fail(Op::kSync, 1, EIO);
  CHECK_FALSE(h.log->sync());
  REQUIRE(h.log->seal());
  CHECK(h.log->end_offset() == 0);
  CHECK(h.log->segments().size() == 1);
  h.model.cut(0);
  h.fill(2);
  h.check_equals_model();
  h.kill_and_open();
  h.check_equals_model();
}

TEST_CASE("Sealing can fail and be repeated, and a power loss at any point keeps what was synced", "[log][fault]") {
  const Quiet quiet;
  for (unsigned seed = 0; seed < 40; ++seed) {
    for (std::uint64_t stop = 0; stop < 30; ++stop) {
      LogHarness h;
      h.fill(3 + int(seed % 4));
      const std::int64_t synced = h.log->durable_offset();
      REQUIRE(h.append(1, 200));
      h.fs.fail(Op::kSync, 1, EIO);
      REQUIRE_FALSE(h.log->sync());
      if (seed % 2 == 0) h.fs.fail(static_cast<Op>(seed / 2 % 7), 1 + seed % 3, EIO);
      h.fs.stop_after(stop);
      for (int attempt = 0; attempt < 3 && !h.log->seal(); ++attempt) continue;
      std::int64_t acknowledged = synced;
      if (!h.log->needs_seal()) {
        h.model.cut(synced);
        if (h.append_and_sync(2, 100)) acknowledged = h.log->end_offset();
      }
      h.log.reset();
      std::mt19937_64 random(seed);
      h.fs.crash(random);
      h.fs.clear_faults();
      const auto opened = h.open();
      INFO("seed " << seed << " stop " << stop << " " << (opened ? std::string() : opened.error().message));
      REQUIRE(opened);
      REQUIRE(h.log->end_offset() >= acknowledged);
      // What lies above belongs to a write whose outcome was never told.
      const auto bytes = test::read_all(h.log);
      REQUIRE(bytes);
      const auto expected = h.model.bytes(0, acknowledged);
      REQUIRE(bytes->size() >= expected.size());
      REQUIRE(std::equal(expected.begin(), expected.end(), bytes->begin()));
    }
  }
}

TEST_CASE("A failed sync of a log that acknowledges before: all is read on, and written anew where it is safe",
          "[log][fault]") {
  const Quiet quiet;
  LogHarness h(test::small_log(Durability::kOs));
  const bool has_durable = GENERATE(true, false);
  if (has_durable) h.fill(2);
  for (int i = 0; i < 3; ++i) REQUIRE(h.append());
  const std::int64_t end = h.log->end_offset();
  h.fs.fail(Op::kSync, 1, EIO, /*repeat=*/true);
  CHECK_FALSE(h.log->sync());
  CHECK(h.log->needs_seal());
  CHECK_FALSE(h.log->seal());
  CHECK_FALSE(h.log->append(test::make_batch(end)));
  h.check_equals_model();
  h.fs.clear_faults();

  SECTION("the process dies before: it is in the page cache") {
    h.kill_and_open();
    h.check_equals_model();
  }
  SECTION("the disk is well again: then the machine dies") {
    REQUIRE(h.log->seal());
    CHECK(h.log->durable_offset() == end);
    h.check_equals_model();
    CHECK(h.log->segments().size() == (has_durable ? 2 : 1));
    h.log.reset();
    std::mt19937_64 random(1);
    h.fs.crash(random);
    REQUIRE(h.open());
    h.check_equals_model();
    h.fill(3);
    h.check_equals_model();
  }
}

TEST_CASE("What cannot be read back after a failed sync is not written anew, and the log takes no more",
          "[log][fault]") {
  const Quiet quiet;
  LogHarness h(test::small_log(Durability::kOs));
  h.fill(2);
  const std::uint64_t durable_bytes = h.log->size_bytes();
  REQUIRE(h.append());
  h.fs.fail(Op::kSync, 1, EIO);
  REQUIRE_FALSE(h.log->sync());
  h.fs.overwrite(h.path(0), h.fs.contents(h.path(0)).substr(0, durable_bytes + 70) + "damage");
  CHECK(h.log->seal().error().kind != ErrorKind::kIo);
  CHECK(h.log->needs_seal());
  CHECK_FALSE(h.log->append(test::make_batch(h.log->end_offset())));
}

TEST_CASE("Writing anew what was acknowledged can be cut short at any point, by the process or the machine",
          "[log][fault]") {
  const Quiet quiet;
  const test::End how = GENERATE(test::End::kKill, test::End::kPowerLoss);
  for (unsigned seed = 0; seed < 40; ++seed) {
    for (std::uint64_t stop = 0; stop < 30; ++stop) {
      LogHarness h(test::small_log(Durability::kOs));
      h.fill(static_cast<int>(seed % 4));
      const std::int64_t synced = h.log->durable_offset();
      for (int i = 0; i < 3; ++i) REQUIRE(h.append(1, 200));
      h.fs.fail(Op::kSync, 1, EIO);
      REQUIRE_FALSE(h.log->sync());
      if (seed % 2 == 0) h.fs.fail(static_cast<Op>(seed / 2 % 7), 1 + seed % 3, EIO);
      h.fs.stop_after(stop);
      for (int attempt = 0; attempt < 3 && !h.log->seal(); ++attempt) continue;
      if (!h.fs.stopped()) h.check_equals_model();
      if (!h.log->needs_seal()) static_cast<void>(h.append(2, 100));
      // The process takes nothing with it, the machine what was not synced.
      const std::int64_t kept =
          how == test::End::kKill ? h.log->end_offset() : std::max(synced, h.log->durable_offset());
      h.log.reset();
      std::mt19937_64 random(seed);
      if (how == test::End::kKill) {
        h.fs.kill();
      } else {
        h.fs.crash(random);
      }
      h.fs.clear_faults();
      const auto opened = h.open();
      INFO("seed " << seed << " stop " << stop << " " << (opened ? std::string() : opened.error().message));
      REQUIRE(opened);
      REQUIRE(h.log->end_offset() >= kept);
      const auto bytes = test::read_all(h.log);
      REQUIRE(bytes);
      const auto expected = h.model.bytes(0, h.log->end_offset());
      REQUIRE(*bytes == expected);
    }
  }
}

TEST_CASE("A failing delete leaves either the old or the new start", "[log][fault]") {
  const Quiet quiet;
  LogHarness h;
  h.fill(40);
  h.fs.fail(Op::kRename, 1, EIO);
  CHECK(h.log->delete_before(30).error().kind == ErrorKind::kIo);
  CHECK(h.log->start_offset() == 0);
  h.fs.fail(Op::kRemove, 1, EIO, true);
  REQUIRE(h.log->delete_before(30));  // the files stay for the next start
  h.fs.clear_faults();
  CHECK(h.log->start_offset() == 30);
  h.kill_and_open();
  CHECK(h.log->start_offset() == 30);
  CHECK(h.log->recovery().files_removed > 0);
  h.check_equals_model();
}

TEST_CASE("An open that cannot read its files says so and can be repeated", "[log][fault]") {
  const Quiet quiet;
  LogHarness h;
  h.fill(20);
  h.fs.kill();
  for (std::uint64_t nth = 1; nth < 6; ++nth) {
    h.fs.fail(Op::kOpen, nth, EMFILE);
    const auto opened = h.open();
    if (!opened) CHECK(opened.error().kind == ErrorKind::kIo);
    h.fs.clear_faults();
  }
  REQUIRE(h.open());
  h.check_equals_model();
}

}  // namespace
}  // namespace cohort::storage
