#include "server/storage/log_set.h"

#include <catch2/catch.hpp>
#include <cerrno>
#include <random>

#include "protocol/base/log.h"
#include "tests/unit/storage/support.h"

namespace cohort::storage {
namespace {

using Catch::Matchers::Contains;
using test::make_batch;

LogId id_of(std::string topic, std::uint64_t number, std::int32_t partition = 0) {
  return {protocol::TopicName(std::move(topic)), protocol::TopicId(protocol::Uuid(1, number)), partition};
}

LogSetOptions options_of(std::string cluster = "cluster-1", std::int32_t node_id = 1) {
  return {.dir = "/data", .node_id = node_id, .new_cluster_id = std::move(cluster), .open_segments = 8};
}

std::unique_ptr<LogSet> must_open(Fs& fs) {
  auto set = LogSet::open(fs, options_of());
  INFO((set ? std::string() : set.error().message));
  REQUIRE(set);
  return std::move(*set);
}

const LogOptions kOptions = test::small_log();
const auto in_time = [] { return true; };

TEST_CASE("A new data folder gets a cluster id, an old one keeps it", "[log_set]") {
  MemFs fs;
  {
    const auto set = LogSet::open(fs, options_of("first"));
    REQUIRE(set);
    CHECK((*set)->cluster_id() == "first");
    CHECK((*set)->stored().empty());
    CHECK((*set)->space()->free_bytes > 0);
  }
  CHECK(fs.contents("/data/meta.properties") == "version=1\ncluster.id=first\nnode.id=1\n");
  CHECK((*LogSet::open(fs, options_of("second")))->cluster_id() == "first");
}

TEST_CASE("A data folder that cannot be used is one clear sentence", "[log_set]") {
  MemFs fs;
  auto set = must_open(fs);
  SECTION("in use") {
    CHECK(LogSet::open(fs, options_of()).error().message == "Data folder /data is in use by another process");
  }
  set.reset();
  SECTION("of another node") {
    CHECK(LogSet::open(fs, options_of("c", 2)).error().message ==
          "Data folder /data belongs to node.id=1, but node.id=2 is configured");
  }
  SECTION("damaged") {
    fs.overwrite("/data/meta.properties", "version=7\n");
    CHECK_THAT(LogSet::open(fs, options_of()).error().message, Contains("/data/meta.properties is damaged"));
  }
  SECTION("no permission") {
    fs.fail(MemFs::Op::kOpen, 1, EACCES);
    CHECK(LogSet::open(fs, options_of()).error().message == "Cannot create /data/.lock: Permission denied");
  }
  SECTION("full") {
    MemFs full;
    full.set_free_bytes(5);
    CHECK(LogSet::open(full, options_of()).error().message ==
          "Cannot write /data/meta.properties.tmp: No space left on device");
  }
  SECTION("without a parent") {
    auto options = options_of();
    options.dir = "/missing/data";
    CHECK_THAT(LogSet::open(fs, options).error().message, Contains("/missing/data: No such file or directory"));
  }
}

TEST_CASE("A data folder that lost its meta.properties is not taken for a new one", "[log_set]") {
  MemFs fs;
  {
    auto set = LogSet::open(fs, options_of());
    REQUIRE(set);
    REQUIRE((*set)->open_or_create({protocol::TopicName("t"), protocol::TopicId(protocol::Uuid(1, 2)), 0}, {}));
    REQUIRE((*set)->close(in_time));
  }
  REQUIRE(fs.remove("/data/meta.properties"));
  const auto opened = LogSet::open(fs, options_of());
  REQUIRE_FALSE(opened);
  CHECK_THAT(opened.error().message, Contains("/data/meta.properties is missing, but /data/t-0 is there"));
  CHECK_FALSE(fs.open("/data/meta.properties", OpenMode::kRead));
}

TEST_CASE("Logs are made, found, closed and opened again", "[log_set]") {
  MemFs fs;
  const LogId id = id_of("orders", 7, 3);
  auto set = must_open(fs);
  CHECK(set->find(id.topic, 3) == nullptr);
  auto log = set->open_or_create(id, kOptions);
  REQUIRE(log);
  CHECK(set->find(id.topic, 3) == *log);
  CHECK(*set->open_or_create(id, kOptions) == *log);
  REQUIRE((*log)->append(make_batch(0, 4)));
  REQUIRE(set->close(in_time));
  log->reset();
  set.reset();

  set = must_open(fs);
  CHECK(set->stored() == std::vector<LogId>{id});
  CHECK(set->find(id.topic, 3) == nullptr);
  CHECK((*set->open_or_create(id, kOptions))->end_offset() == 4);
  CHECK(fs.contents("/data/orders-3/partition.metadata") == "version: 0\ntopic_id: " + id.topic_id.value().to_string());
}

TEST_CASE("The logs that write one batch at a time are closed first; those that there was no time for lose nothing",
          "[log_set]") {
  MemFs fs;
  LogOptions own = kOptions;
  own.one_batch_at_a_time = true;
  const auto batch = test::make_batch(0);
  {
    const auto set = must_open(fs);
    for (std::int32_t partition = 0; partition < 3; ++partition) {
      auto log = set->open_or_create(id_of("t", 1, partition), partition == 1 ? own : kOptions);
      REQUIRE(log);
      REQUIRE((*log)->append(batch));
      REQUIRE((*log)->sync());
    }
    int left = 1;
    REQUIRE(set->close([&left] { return left-- > 0; }));
  }
  fs.kill();
  const auto set = must_open(fs);
  for (std::int32_t partition = 0; partition < 3; ++partition) {
    const auto log = set->open_or_create(id_of("t", 1, partition), partition == 1 ? own : kOptions);
    REQUIRE(log);
    CHECK((*log)->end_offset() == 1);
    CHECK((*log)->recovery().batches_scanned == (partition == 1 ? 0U : 1U));
  }
}

TEST_CASE("A folder in the place of another partition of its topic is refused", "[log_set]") {
  MemFs fs;
  {
    const auto set = must_open(fs);
    for (std::int32_t partition : {0, 1}) REQUIRE(set->open_or_create(id_of("t", 1, partition), kOptions));
    REQUIRE(set->close(in_time));
  }
  REQUIRE(fs.rename("/data/t-0", "/data/x"));
  REQUIRE(fs.rename("/data/t-1", "/data/t-0"));
  REQUIRE(fs.rename("/data/x", "/data/t-1"));
  const auto set = must_open(fs);
  const auto opened = set->open_or_create(id_of("t", 1, 0), kOptions);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().kind == ErrorKind::kCorrupt);
  CHECK_THAT(opened.error().message, Contains("/data/t-0/checkpoint is the checkpoint of log"));
}

TEST_CASE("A folder of another topic id is never adopted", "[log_set]") {
  MemFs fs;
  auto set = must_open(fs);
  REQUIRE(set->open_or_create(id_of("t", 1), kOptions));
  const auto other = set->open_or_create(id_of("t", 2), kOptions);
  CHECK(other.error().kind == ErrorKind::kCorrupt);
  CHECK_THAT(other.error().message, Contains("/data/t-0 belongs to topic id"));
  REQUIRE(set->remove(id_of("t", 2)));  // another one: nothing happens
  CHECK(set->find(protocol::TopicName("t"), 0) != nullptr);
  set = nullptr;
  fs.overwrite("/data/t-0/partition.metadata", "version: 0\ntopic_id: ???\n");
  CHECK(LogSet::open(fs, options_of()).error().kind == ErrorKind::kCorrupt);
}

TEST_CASE("Names that are no topic names never become paths", "[log_set]") {
  MemFs fs;
  auto set = must_open(fs);
  for (const char* topic : {"", ".", "..", "../x", "a/b", "a b", "a\n"}) {
    CHECK(set->open_or_create(id_of(topic, 1), kOptions).error().kind == ErrorKind::kInvalid);
  }
  CHECK(set->open_or_create(id_of(std::string(250, 'a'), 1), kOptions).error().kind == ErrorKind::kInvalid);
  CHECK(set->open_or_create(id_of("a", 1, -1), kOptions).error().kind == ErrorKind::kInvalid);
  REQUIRE(set->open_or_create(id_of(std::string(249, 'a'), 1), kOptions));
  REQUIRE(set->remove(id_of(std::string(249, 'a'), 1)));
}

TEST_CASE("A removed log is gone, its holder may finish reading, and the name can be used again", "[log_set]") {
  MemFs fs;
  auto set = must_open(fs);
  auto log = *set->open_or_create(id_of("t", 1), kOptions);
  REQUIRE(log->append(make_batch(0)));
  REQUIRE(set->remove(id_of("t", 1)));
  REQUIRE(set->remove(id_of("t", 1)));
  CHECK(set->find(protocol::TopicName("t"), 0) == nullptr);
  CHECK(log->append(make_batch(1)).error().kind == ErrorKind::kNotFound);
  CHECK(log->read(0, 100, 10, true)->next_offset == 1);
  CHECK_FALSE(fs.list("/data/t-0"));
  CHECK((*set->open_or_create(id_of("t", 2), kOptions))->end_offset() == 0);
}

TEST_CASE("A removal that failed half-way is ended by whoever wants the name", "[log_set]") {
  MemFs fs;
  auto set = must_open(fs);
  REQUIRE(set->open_or_create(id_of("t", 1), kOptions));
  const auto op = GENERATE(MemFs::Op::kRename, MemFs::Op::kSyncDir);
  fs.fail(op, 1, EIO);
  CHECK_FALSE(set->remove(id_of("t", 1)));
  CHECK(set->find(protocol::TopicName("t"), 0)->append(make_batch(0)).error().kind == ErrorKind::kNotFound);
  fs.fail(op, 1, EIO);
  CHECK_FALSE(set->open_or_create(id_of("t", 2), kOptions));
  CHECK((*set->open_or_create(id_of("t", 2), kOptions))->end_offset() == 0);
  CHECK(set->remove(id_of("t", 1)));  // of the former one: nothing is left of it
  CHECK(set->is_stored(id_of("t", 2)));
}

TEST_CASE("A log whose folder could not be synced is opened when that is done, and survives a power loss then",
          "[log_set][crash]") {
  MemFs fs;
  auto set = must_open(fs);
  fs.fail(MemFs::Op::kSyncDir, 3, EIO);  // after those of the new folder: the one of the data folder
  REQUIRE_FALSE(set->open_or_create(id_of("t", 1), kOptions));
  REQUIRE(fs.list("/data/t-0"));
  auto log = *set->open_or_create(id_of("t", 1), kOptions);
  REQUIRE(log->append(make_batch(0)));
  REQUIRE(log->sync());
  log.reset();
  set.reset();
  std::mt19937_64 random(1);
  fs.crash(random);
  set = must_open(fs);
  CHECK((*set->open_or_create(id_of("t", 1), kOptions))->end_offset() == 1);
}

TEST_CASE("The holder of a removed log never reads the files of a later one of the same name", "[log_set]") {
  MemFs fs;
  auto set = LogSet::open(fs, {.dir = "/data", .node_id = 1, .new_cluster_id = "c", .open_segments = 0});
  REQUIRE(set);
  const auto write = [&](std::uint64_t number) {
    auto log = *(*set)->open_or_create(id_of("t", number), kOptions);
    for (std::int64_t base = 0; base < 30; ++base)
      REQUIRE(log->append(make_batch(base, 1, 200, 1000, unsigned(number))));
    REQUIRE(log->segments().size() > 2);
    return log;
  };
  const auto old = write(1);
  CHECK(old->read(0, 100, 30, true)->next_offset == 1);
  REQUIRE((*set)->remove(id_of("t", 1)));
  write(2);
  CHECK(old->read(0, 100, 30, true).error().kind == ErrorKind::kNotFound);
  CHECK(old->read(29, 100, 30, true)->next_offset == 30);  // the last segment is open
}

TEST_CASE("Foreign folders and files are left alone", "[log_set]") {
  log::set_level(log::Level::kOff);
  MemFs fs;
  must_open(fs);
  for (const char* name : {"/data/lost+found", "/data/x", "/data/t-01", "/data/-1", "/data/t-99999999999"}) {
    REQUIRE(fs.make_dir(name));
  }
  fs.overwrite("/data/t-0", "a file");
  CHECK(must_open(fs)->stored().empty());
  CHECK(fs.list("/data")->size() == 8);
  log::set_level(log::Level::kWarn);
}

// Makes a log, writes, removes it, makes another of the same name: the power fails at every operation.
TEST_CASE("A power loss while logs are made and removed never shows a half one or an old one", "[log_set][crash]") {
  log::set_level(log::Level::kOff);
  bool is_whole = false;
  for (std::uint64_t stop = 0; !is_whole; ++stop) {
    for (unsigned seed = 0; seed < 25; ++seed) {
      MemFs fs;
      must_open(fs);
      int stage = 0;
      fs.stop_after(stop);
      const auto script = [&] {
        auto set = LogSet::open(fs, options_of());
        if (!set) return;
        auto first = (*set)->open_or_create(id_of("t", 1), kOptions);
        if (!first) return;
        stage = 1;  // made
        if (!(*first)->append(make_batch(0, 5)) || !(*first)->sync()) return;
        stage = 2;  // written
        if (!(*set)->remove(id_of("t", 1))) return;
        stage = 3;  // removed
        auto second = (*set)->open_or_create(id_of("t", 2), kOptions);
        if (!second) return;
        stage = 4;  // made again
        if (!(*second)->append(make_batch(0, 2)) || !(*second)->sync()) return;
        stage = 5;
      };
      script();
      is_whole = stage == 5 && !fs.stopped();
      std::mt19937_64 random(seed);
      fs.crash(random);

      INFO("stop " << stop << " seed " << seed << " stage " << stage);
      const auto set = must_open(fs);
      const auto stored = set->stored();
      REQUIRE(stored.size() <= 1);
      const auto holds = [&](std::uint64_t number) { return stored == std::vector<LogId>{id_of("t", number)}; };
      if (stage == 1 || stage == 0) REQUIRE((stored.empty() || holds(1)));
      if (stage == 1) REQUIRE(holds(1));
      if (stage == 2) REQUIRE((stored.empty() || holds(1)));
      if (stage == 3) REQUIRE((stored.empty() || holds(2)));
      if (stage >= 4) REQUIRE(holds(2));
      if (!stored.empty()) {
        const auto log = set->open_or_create(stored[0], kOptions);
        REQUIRE(log);
        if (stage == 2) REQUIRE((*log)->end_offset() == 5);
        if (stage == 5) REQUIRE((*log)->end_offset() == 2);
      }
      for (const DirEntry& entry : *fs.list("/data")) {
        REQUIRE_FALSE(entry.name.ends_with(".new"));
        REQUIRE_FALSE(entry.name.ends_with(".deleted"));
      }
    }
  }
  log::set_level(log::Level::kWarn);
}

}  // namespace
}  // namespace cohort::storage
