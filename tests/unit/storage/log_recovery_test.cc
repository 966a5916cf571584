// What a log makes of damaged, missing and foreign files: refused below the recovery point, cut above it.
#include <catch2/catch.hpp>
#include <random>

#include "protocol/batch/record_batch.h"
#include "server/storage/checkpoint.h"
#include "tests/unit/storage/support.h"

namespace cohort::storage {
namespace {

using Catch::Matchers::Contains;
using test::LogHarness;
using test::Quiet;

std::string flip(std::string bytes, std::size_t position) {
  bytes[position] = static_cast<char>(bytes[position] ^ 0x10);
  return bytes;
}

// One segment, a checkpoint in the middle, batches of equal size above it; killed.
struct Tail {
  Tail() : h(options()) {
    h.fill(5);
    REQUIRE(h.log->close());
    REQUIRE(h.open());
    checked = h.log->size_bytes();
    h.fill(10);
    h.fs.kill();
    h.log.reset();
    path = h.path(0);
    bytes = h.fs.contents(path);
    batch = bytes.size() / 15;
  }
  static LogOptions options() {
    LogOptions options = test::small_log();
    options.segment_bytes = 1 << 20;
    options.checkpoint_bytes = 1 << 20;
    options.max_unsynced_bytes = 1000;
    return options;
  }
  Error must_refuse() {
    const auto opened = h.open();
    REQUIRE_FALSE(opened);
    REQUIRE(opened.error().kind == ErrorKind::kCorrupt);
    return opened.error();
  }
  LogHarness h;
  std::uint64_t checked = 0;
  std::string path;
  std::string bytes;
  std::size_t batch = 0;
};

TEST_CASE("A torn last batch is cut and counted", "[log][recovery]") {
  Tail t;
  t.h.fs.overwrite(t.path, t.bytes.substr(0, t.bytes.size() - 3));
  REQUIRE(t.h.open());
  CHECK(t.h.log->recovery().bytes_cut == t.batch - 3);
  CHECK(t.h.log->recovery().batches_scanned == 9);
  t.h.model.cut(28);
  t.h.check_equals_model();
  CHECK(t.h.fs.contents(t.path).size() == 14 * t.batch);
  t.h.fill(2);
  t.h.check_equals_model();
  t.h.kill_and_open();
  t.h.check_equals_model();
}

TEST_CASE("A flipped bit above the recovery point ends the log there", "[log][recovery]") {
  Tail t;
  t.h.fs.overwrite(t.path, flip(t.bytes, 14 * t.batch + 70));
  REQUIRE(t.h.open());
  CHECK(t.h.log->end_offset() == 28);
  CHECK(t.h.log->recovery().bytes_cut == t.batch);
}

TEST_CASE("In a synced log more than the window behind a bad batch is corruption", "[log][recovery]") {
  Tail t;
  t.h.fs.overwrite(t.path, flip(t.bytes, 6 * t.batch + 70));
  const std::string before = t.h.fs.contents(t.path);
  const Error error = t.must_refuse();
  CHECK_THAT(error.message, Contains(t.path) && Contains("position " + std::to_string(6 * t.batch)) &&
                                Contains("never more than 1000"));
  CHECK(t.h.fs.contents(t.path) == before);  // nothing was changed
}

// Written batch by batch, as the coordinator does: what is sound behind a bad batch proves that it had been synced.
struct Single : Tail {
  Single() {
    h.options.one_batch_at_a_time = true;
    REQUIRE(h.open());
    for (int i = 0; i < 3; ++i) REQUIRE(h.append_and_sync(2, 100));
    h.fs.kill();
    h.log.reset();
    bytes = h.fs.contents(path);
  }
};

TEST_CASE("In a log of single synced batches only the last one can be torn", "[log][recovery]") {
  Single t;
  const std::size_t last = t.bytes.size() - t.batch;
  SECTION("the last one is cut, whatever is left of it") {
    const std::size_t left = GENERATE(1U, 60U, 61U, 150U);
    t.h.fs.overwrite(t.path, t.bytes.substr(0, last + left));
    REQUIRE(t.h.open());
    CHECK(t.h.log->recovery().bytes_cut == left);
  }
  SECTION("the last one is cut when its first bytes never came to the disk") {
    t.h.fs.overwrite(t.path, t.bytes.substr(0, last) + std::string(100, '\0') + t.bytes.substr(last + 100));
    REQUIRE(t.h.open());
    CHECK(t.h.log->recovery().bytes_cut == t.batch);
  }
  SECTION("one before it is damage, whichever byte it is") {
    const std::size_t begin = last - t.batch;
    for (std::size_t i = 0; i < t.batch; ++i) {
      if (i >= 12 && i < 16) continue;  // the leader epoch, which nothing covers
      t.h.fs.overwrite(t.path, flip(t.bytes, begin + i));
      INFO("byte " << i);
      const Error error = t.must_refuse();
      CHECK_THAT(error.message, Contains(t.path) && Contains("position " + std::to_string(begin)) &&
                                    Contains("follow at position " + std::to_string(last)));
    }
  }
}

TEST_CASE("A batch that a client put into a record proves nothing", "[log][recovery]") {
  Single t;
  REQUIRE(t.h.open());
  const auto inner = test::make_batch(t.h.log->end_offset() + 1);
  const auto outer = test::make_batch_around(t.h.log->end_offset(), inner);
  REQUIRE(t.h.log->append(outer));
  t.h.fs.kill();
  t.h.log.reset();
  std::string bytes = t.h.fs.contents(t.path);
  SECTION("when the header is there") {
    bytes = flip(bytes, bytes.size() - 1);
  }
  SECTION("when the header never came to the disk") {
    bytes.replace(bytes.size() - outer.size(), 61, 61, '\0');
  }
  t.h.fs.overwrite(t.path, bytes);
  REQUIRE(t.h.open());
  CHECK(t.h.log->recovery().bytes_cut == outer.size());
}

TEST_CASE("In a log left to the operating system it is cut", "[log][recovery]") {
  Tail t;
  t.h.options.durability = Durability::kOs;
  REQUIRE(t.h.open());
  REQUIRE(t.h.log->close());  // the checkpoint says that there is no window
  t.h.kill_and_open();
  const std::uint64_t checked = t.h.log->size_bytes();
  for (int i = 0; i < 20; ++i) REQUIRE(t.h.append(2, 100));
  t.h.fs.kill();
  t.h.fs.overwrite(t.path, flip(t.h.fs.contents(t.path), checked + 70));
  REQUIRE(t.h.open());
  CHECK(t.h.log->recovery().bytes_cut == 20 * t.batch);
  CHECK(t.h.log->size_bytes() == checked);
}

TEST_CASE("A file that ends below the recovery point is refused", "[log][recovery]") {
  Tail t;
  t.h.fs.overwrite(t.path, t.bytes.substr(0, t.checked - 1));
  CHECK_THAT(t.must_refuse().message,
             Contains(t.path) && Contains(std::to_string(t.checked) + " bytes had been synced"));
}

TEST_CASE("A flipped bit below the recovery point is refused when the bytes are looked at", "[log][recovery]") {
  Tail t;
  t.h.fs.overwrite(t.path, flip(t.bytes, 2 * t.batch + 70));
  SECTION("at the open that checks all") {
    t.h.options.verify_all_on_open = true;
    CHECK_THAT(t.must_refuse().message, Contains("position " + std::to_string(2 * t.batch)));
  }
  SECTION("at the open that has lost its index") {
    REQUIRE(t.h.fs.remove(index_path("/d", 0)));
    CHECK_THAT(t.must_refuse().message, Contains("position " + std::to_string(2 * t.batch)));
  }
  SECTION("at replay") {
    REQUIRE(t.h.open());
    const auto bytes = test::read_all(t.h.log);
    REQUIRE(bytes.error().kind == ErrorKind::kCorrupt);
    CHECK_THAT(bytes.error().message, Contains(t.path) && Contains("position " + std::to_string(2 * t.batch)));
  }
}

TEST_CASE("A damaged header below the recovery point is an error of the read", "[log][recovery]") {
  Tail t;
  t.h.fs.overwrite(t.path, flip(t.bytes, 2 * t.batch + 9));  // the length
  REQUIRE(t.h.open());
  const auto read = t.h.log->read(8, 100, 1000, true);
  CHECK(read.error().kind == ErrorKind::kCorrupt);
  CHECK(t.h.log->read(8, 100, 1000, true).error().message == read.error().message);
}

TEST_CASE("A damaged last offset does not hide what follows", "[log][recovery]") {
  Tail t;
  t.h.fs.overwrite(t.path, flip(t.bytes, 2 * t.batch + 24));  // the last offset delta, far beyond the reader's limit
  REQUIRE(t.h.open());
  CHECK(t.h.log->read(4, 100, t.h.log->end_offset(), true).error().kind == ErrorKind::kCorrupt);
  CHECK(test::read_all(t.h.log).error().kind == ErrorKind::kCorrupt);
}

TEST_CASE("A zeroed tail is cut", "[log][recovery]") {
  Tail t;
  t.h.fs.overwrite(t.path, t.bytes + std::string(700, '\0'));
  REQUIRE(t.h.open());
  CHECK(t.h.log->recovery().bytes_cut == 700);
  t.h.check_equals_model();
}

TEST_CASE("A missing or damaged checkpoint is refused", "[log][recovery]") {
  Tail t;
  const std::string path = "/d/checkpoint";
  const std::string text = t.h.fs.contents(path);
  SECTION("missing") {
    REQUIRE(t.h.fs.remove(path));
    CHECK_THAT(t.must_refuse().message, Contains(path));
  }
  SECTION("each byte flipped") {
    for (std::size_t i = 0; i < text.size(); ++i) {
      t.h.fs.overwrite(path, flip(text, i));
      const auto opened = t.h.open();
      REQUIRE_FALSE(opened);
      REQUIRE_THAT(opened.error().message, Contains(path));
    }
  }
  SECTION("truncated") {
    for (std::size_t i = 0; i < text.size(); ++i) {
      t.h.fs.overwrite(path, text.substr(0, i));
      REQUIRE_FALSE(t.h.open());
    }
  }
}

// Four or more closed segments and a last one; cleanly closed.
struct Segments {
  Segments() {
    h.fill(40);
    bases.reserve(h.log->segments().size());
    for (const SegmentInfo& segment : h.log->segments()) bases.push_back(segment.base_offset);
    REQUIRE(bases.size() >= 5);
    REQUIRE(h.log->close());
    h.log.reset();
  }
  LogHarness h;
  std::vector<std::int64_t> bases;
};

TEST_CASE("A missing segment is refused", "[log][recovery]") {
  Segments s;
  SECTION("in the middle") {
    REQUIRE(s.h.fs.remove(s.h.path(s.bases[2])));
    const auto opened = s.h.open();
    REQUIRE(opened.error().kind == ErrorKind::kCorrupt);
    CHECK_THAT(opened.error().message, Contains(s.h.path(s.bases[1])) && Contains(std::to_string(s.bases[3])));
  }
  SECTION("the first") {
    REQUIRE(s.h.fs.remove(s.h.path(0)));
    CHECK_THAT(s.h.open().error().message, Contains("expected one that holds 0"));
  }
  SECTION("the last") {
    REQUIRE(s.h.fs.remove(s.h.path(s.bases.back())));
    CHECK_THAT(s.h.open().error().message, Contains(s.h.path(s.bases.back()) + " is missing"));
  }
  SECTION("all") {
    for (const std::int64_t base : s.bases) REQUIRE(s.h.fs.remove(s.h.path(base)));
    CHECK(s.h.open().error().kind == ErrorKind::kCorrupt);
  }
}

TEST_CASE("A closed segment that was cut short is refused", "[log][recovery]") {
  Segments s;
  const std::string path = s.h.path(s.bases[1]);
  const std::string bytes = s.h.fs.contents(path);
  const bool has_index = GENERATE(true, false);
  if (!has_index) REQUIRE(s.h.fs.remove(index_path("/d", s.bases[1])));
  const std::size_t cut = GENERATE(0U, 1U, 61U, 500U);
  s.h.fs.overwrite(path, bytes.substr(0, cut));
  const auto opened = s.h.open();
  REQUIRE(opened.error().kind == ErrorKind::kCorrupt);
  CHECK_THAT(opened.error().message, Contains(path));
}

TEST_CASE("Missing and damaged index files are built again", "[log][recovery]") {
  Segments s;
  const std::int64_t base = s.bases[GENERATE(0U, 2U)];
  const bool is_last = GENERATE(false, true);
  const std::string path = index_path("/d", is_last ? s.bases.back() : base);
  const std::string bytes = s.h.fs.contents(path);
  const int damage = GENERATE(0, 1, 2, 3);
  if (damage == 0) REQUIRE(s.h.fs.remove(path));
  if (damage == 1) s.h.fs.overwrite(path, bytes.substr(0, 20));
  if (damage == 2) s.h.fs.overwrite(path, flip(bytes, 25));
  if (damage == 3) s.h.fs.overwrite(path, s.h.fs.contents(index_path("/d", s.bases[1])));  // of another segment
  REQUIRE(s.h.open());
  CHECK(s.h.log->recovery().indexes_rebuilt == 1);
  CHECK(s.h.log->recovery().bytes_cut == 0);
  s.h.check_equals_model();
  if (!is_last) CHECK(s.h.fs.contents(path) == bytes);
}

TEST_CASE("Stray files: ours are removed, foreign ones stay, none is taken for a segment", "[log][recovery]") {
  const Quiet quiet;
  Segments s;
  const std::vector<std::string> foreign{"/d/notes.txt", "/d/123.log", "/d/0000000000000000000x.log",
                                         "/d/99999999999999999999.log", "/d/00000000000000000000.log.swp"};
  const std::vector<std::string> ours{"/d/checkpoint.tmp", "/d/00000000000000000000.log.tmp",
                                      "/d/00000000000000009999.sparseindex"};
  for (const auto& path : foreign) s.h.fs.overwrite(path, "x");
  for (const auto& path : ours) s.h.fs.overwrite(path, "x");
  REQUIRE(s.h.fs.make_dir("/d/00000000000000009999.log"));
  REQUIRE(s.h.open());
  CHECK(s.h.log->recovery().files_removed == ours.size());
  for (const auto& path : foreign) CHECK(s.h.fs.open(path, OpenMode::kRead));
  for (const auto& path : ours) CHECK_FALSE(s.h.fs.open(path, OpenMode::kRead));
  s.h.check_equals_model();
}

TEST_CASE("A foreign segment behind the end is refused as a gap", "[log][recovery]") {
  Segments s;
  s.h.fs.overwrite("/d/00000000000000009999.log", "");
  CHECK(s.h.open().error().kind == ErrorKind::kCorrupt);
}

TEST_CASE("Segments below the start that a crash brought back go away again", "[log][recovery]") {
  Segments s;
  const std::string first = s.h.fs.contents(s.h.path(0));
  REQUIRE(s.h.open());
  REQUIRE(s.h.log->delete_before(s.bases[2]));
  REQUIRE(s.h.log->close());
  s.h.fs.overwrite(s.h.path(0), first);  // not the one after it
  REQUIRE(s.h.open());
  CHECK(s.h.log->start_offset() == s.bases[2]);
  CHECK(s.h.log->segments().front().base_offset == s.bases[2]);
  CHECK_FALSE(s.h.fs.open(s.h.path(0), OpenMode::kRead));
  s.h.check_equals_model();
}

// The one field of a batch that neither the checksum nor the chain of offsets covers.
void mask_leader_epochs(std::span<std::byte> batches) {
  while (!batches.empty()) {
    const std::size_t size = protocol::BatchHeader(batches.data()).size_in_bytes();
    protocol::set_partition_leader_epoch(batches.first(size), 0);
    batches = batches.subspan(size);
  }
}

// Never a crash, hang or wrong bytes: an error, or a log that is a prefix of what was written.
TEST_CASE("Random damage never does more than end the log or stop its opening", "[log][recovery][fuzz]") {
  const Quiet quiet;
  std::size_t opened_logs = 0;
  std::size_t refused = 0;
  for (unsigned seed = 0; seed < 1500; ++seed) {
    std::mt19937_64 random(seed);
    LogHarness h(test::small_log(seed % 2 == 0 ? Durability::kSync : Durability::kOs));
    h.fill(25, 20 + random() % 200);
    if (seed % 3 == 0) REQUIRE(h.log->close());
    h.log.reset();
    h.fs.kill();
    const auto entries = h.fs.list("/d");
    REQUIRE(entries);
    for (int hits = 1 + int(random() % 3); hits > 0; --hits) {
      const std::string path = "/d/" + (*entries)[random() % entries->size()].name;
      std::string bytes = h.fs.contents(path);
      switch (random() % 6) {
        case 0:
          bytes.resize(random() % (bytes.size() + 1));
          break;
        case 1:
          for (std::size_t i = 0, n = random() % 600; i < n; ++i) bytes.push_back(static_cast<char>(random()));
          break;
        case 2:
          if (!bytes.empty()) bytes += bytes.substr(random() % bytes.size());
          break;
        default:
          for (std::size_t i = 0, n = 1 + random() % 8; i < n && !bytes.empty(); ++i) {
            bytes[random() % bytes.size()] = static_cast<char>(random());
          }
      }
      h.fs.overwrite(path, bytes);
    }
    h.options.verify_all_on_open = seed % 5 == 0;
    const auto opened = h.open();
    if (!opened) {
      ++refused;
      REQUIRE_FALSE(opened.error().message.empty());
      continue;
    }
    ++opened_logs;
    REQUIRE(h.log->end_offset() <= h.model.end_offset());
    auto bytes = test::read_all(h.log);
    if (bytes) {
      auto expected = h.model.bytes(h.log->start_offset(), h.log->end_offset());
      mask_leader_epochs(*bytes);
      mask_leader_epochs(expected);
      const bool is_equal = *bytes == expected;
      INFO("seed " << seed);
      REQUIRE(is_equal);
    }
    static_cast<void>(h.log->offset_for_timestamp(1100, 1000));
    static_cast<void>(h.log->max_timestamp(1000));
  }
  CHECK(opened_logs > 100);
  CHECK(refused > 100);
}

}  // namespace
}  // namespace cohort::storage
