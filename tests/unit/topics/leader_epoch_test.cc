// A partition's leader epoch: one more with each start, in what is stored and in what is answered, and what it is good
// for when records were lost.
#include <cerrno>
#include <random>

#include "protocol/batch/record_batch.h"
#include "server/topics/catalogue.h"
#include "tests/unit/topics/harness.h"

namespace cohort::topics {
namespace {

using protocol::ErrorCode;
using storage::EpochEnd;

struct Epochs {
  storage::MemFs fs;
  StoreHarness h{fs};
  PartitionId id;

  Epochs() {
    h.start();
    id = {h.create("t", 1).id, 0};
  }
  void restart() {
    h.kill();
    fs.kill();
    h.start();
  }
  std::int32_t epoch(const char* topic = "t") {
    const auto snapshot = h.store().snapshot();
    return snapshot->leader_epoch(*snapshot->find(topic));
  }
  void produce(int records) { REQUIRE(h.produce(id, make_batch(records)).error == ErrorCode::kNone); }
  FetchedPartition fetch(std::int64_t offset, std::int32_t last_fetched = -1, std::int32_t current = -1) {
    return h
        .fetch(fetch_call({{.id = id,
                            .fetch_offset = offset,
                            .max_bytes = 1 << 20,
                            .current_leader_epoch = current,
                            .last_fetched_epoch = last_fetched}}))
        .at(0);
  }
  EpochEndAnswer end_of(std::int32_t epoch, std::int32_t current = -1) {
    return StoreHarness::get(h.begin<std::vector<EpochEndAnswer>>(
                                 0,
                                 [&](auto done) {
                                   h.store().ends_of_epochs(
                                       {{.id = id, .leader_epoch = epoch, .current_leader_epoch = current}},
                                       std::move(done));
                                 }))
        .at(0);
  }
  ListedOffset list(std::int64_t timestamp, std::int32_t current = -1) {
    ListOffsetsCall call;
    call.partitions = {{.id = id, .timestamp = timestamp, .current_leader_epoch = current}};
    return h.list(std::move(call)).at(0);
  }
};

TEST_CASE("a leader epoch is 0 in the start that makes the topic, and one more with each later one") {
  Epochs t;
  CHECK(t.epoch() == 0);
  t.restart();
  t.h.create("later", 1);
  CHECK(t.epoch() == 1);
  CHECK(t.epoch("later") == 0);
  CHECK(t.epoch("__consumer_offsets") == 1);
  t.h.stop();
  t.h.start();
  CHECK(t.epoch() == 2);
  CHECK(t.epoch("later") == 1);
}

TEST_CASE("no power failure makes a leader epoch fall or stay") {
  for (unsigned seed = 0; seed < 20; ++seed) {
    Epochs t;
    std::mt19937_64 random(seed);
    for (std::int32_t start = 1; start < 4; ++start) {
      t.produce(1);
      t.h.kill();
      t.fs.crash(random);
      t.h.start();
      CHECK(t.epoch() == start);
    }
  }
}

TEST_CASE("many starts alone do not make the catalogue's log long") {
  storage::MemFs fs;
  for (int start = 0; start < 2; ++start) {
    StoreHarness h(fs);
    h.start();
  }
  const auto size = [&] {
    std::size_t bytes = 0;
    for (const auto& entry : *fs.list("/data/__cohort_catalogue-0")) {
      bytes += fs.contents("/data/__cohort_catalogue-0/" + entry.name).size();
    }
    return bytes;
  };
  const std::size_t few = size();
  for (int start = 2; start < 1200; ++start) {
    auto logs = storage::LogSet::open(fs, {.dir = "/data", .new_cluster_id = "AAAAAAAAAAAAAAAAAAAAAA"});
    REQUIRE(logs);
    TopicStoreOptions options;
    SnapshotCell cell;
    reactor::ReactorPool pool(1);
    storage::LogThreads threads(1);
    const auto catalogue = Catalogue::open({.reactor = pool[0],
                                            .threads = threads,
                                            .options = options,
                                            .cell = cell,
                                            .cluster_id = "AAAAAAAAAAAAAAAAAAAAAA",
                                            .new_id = [] { return protocol::Uuid(1, 1); }},
                                           **logs, reactor::read_clocks());
    REQUIRE(catalogue);
    REQUIRE((*catalogue)->core().starts() == start + 1);
    threads.stop();
  }
  CHECK(size() < few + 50'000);
}

TEST_CASE("a start on a full disk reads what is there, in the epoch of the start before") {
  Epochs e;
  e.produce(3);
  e.restart();
  CHECK(e.epoch() == 1);
  e.h.kill();
  e.fs.kill();
  e.fs.set_free_bytes(0);
  e.h.start();
  CHECK(e.epoch() == 1);
  CHECK(e.fetch(0).high_watermark == 3);
  e.fs.set_free_bytes(std::nullopt);
  CHECK(e.h.create("later", 1).error == ErrorCode::kNone);
  e.restart();
  CHECK(e.epoch() == 2);
  CHECK(e.epoch("later") == 1);
}

TEST_CASE("stored batches and answers carry the epoch") {
  Epochs t;
  t.produce(3);  // 0..2
  t.restart();
  t.restart();
  t.produce(2);  // 3..4
  const auto read = t.fetch(0);
  CHECK(read.leader_epoch == 2);
  protocol::BatchReader batches(read.records.view());
  CHECK((*batches.next())->partition_leader_epoch() == 0);
  CHECK((*batches.next())->partition_leader_epoch() == 2);
  CHECK(t.list(kLatestTimestamp).leader_epoch == 2);
  CHECK(t.list(kEarliestTimestamp).leader_epoch == 0);
  CHECK(t.list(kEarliestLocalTimestamp).leader_epoch == 0);
  CHECK(t.list(kLatestTieredTimestamp).leader_epoch == -1);
  CHECK(t.list(1002).leader_epoch == 0);  // offset 2; those behind it are older
  CHECK(t.end_of(0).end == EpochEnd{0, 3});
  CHECK(t.end_of(1).end == EpochEnd{0, 3});
  CHECK(t.end_of(2).end == EpochEnd{2, 5});
  CHECK(t.end_of(3).end == EpochEnd{});
}

TEST_CASE("who is behind or ahead of the leader epoch is told so") {
  Epochs t;
  t.produce(3);
  t.restart();
  CHECK(t.fetch(0, -1, 1).error == ErrorCode::kNone);
  CHECK(t.fetch(0, -1, 0).error == ErrorCode::kFencedLeaderEpoch);
  CHECK(t.fetch(0, -1, 0).leader_epoch == 1);
  CHECK(t.fetch(0, -1, 2).error == ErrorCode::kUnknownLeaderEpoch);
  CHECK(t.list(kLatestTimestamp, 0).error == ErrorCode::kFencedLeaderEpoch);
  CHECK(t.list(kLatestTimestamp, 2).error == ErrorCode::kUnknownLeaderEpoch);
  CHECK(t.end_of(0, 0).error == ErrorCode::kFencedLeaderEpoch);
  CHECK(t.end_of(0, 0).end == EpochEnd{});
  CHECK(t.end_of(0, 2).error == ErrorCode::kUnknownLeaderEpoch);
  CHECK(t.end_of(0, 1).end == EpochEnd{0, 3});
}

TEST_CASE("records that a power failure took are noticed by who has read them") {
  Epochs t;
  t.produce(3);
  t.produce(4);  // 3..6, read by somebody, and lost
  const std::string path = "/data/t-0/00000000000000000000.log";
  t.h.kill();
  t.fs.kill();
  const std::string bytes = t.fs.contents(path);
  t.fs.overwrite(path, bytes.substr(0, bytes.size() - 1));
  t.h.start();
  // 1. While the log is shorter than what was read.
  CHECK(t.fetch(7).error == ErrorCode::kOffsetOutOfRange);
  auto told = t.fetch(7, 0);
  CHECK(told.error == ErrorCode::kNone);
  CHECK(told.diverging == EpochEnd{0, 3});
  CHECK(told.high_watermark == 3);
  CHECK(t.end_of(0).end == EpochEnd{0, 3});
  // 2. When others stand in their place.
  t.produce(9);
  told = t.fetch(7, 0);
  CHECK(told.diverging == EpochEnd{0, 3});
  CHECK(told.records.empty());
  CHECK_FALSE(t.fetch(3, 0).diverging);
  CHECK(t.fetch(3, 0).records.size() > 0);
  CHECK_FALSE(t.fetch(7, 1).diverging);
  CHECK(t.fetch(7, 5).error == ErrorCode::kOffsetOutOfRange);  // of an epoch that never was
}

TEST_CASE("a fetch that must go back is answered at once") {
  Epochs t;
  t.produce(3);
  t.restart();
  FetchCall call = fetch_call({{.id = t.id, .fetch_offset = 4, .max_bytes = 1 << 20, .last_fetched_epoch = 0}});
  call.max_wait_ms = 3'600'000;
  const auto fetched = t.h.fetch(std::move(call));
  CHECK(fetched.at(0).diverging == EpochEnd{0, 3});
}

TEST_CASE("a log that is loaded again in the same process goes on in its epoch") {
  Epochs t;
  t.restart();
  t.fs.fail(storage::MemFs::Op::kWrite, 1, EIO);
  CHECK(t.h.produce(t.id, make_batch(1)).error == ErrorCode::kKafkaStorageError);
  while (t.h.produce(t.id, make_batch(1)).error != ErrorCode::kNone) {
  }
  const auto read = t.fetch(0);
  CHECK(protocol::BatchHeader(read.records.view().data()).partition_leader_epoch() == 1);
  CHECK(t.end_of(1).end == EpochEnd{1, 1});
}

}  // namespace
}  // namespace cohort::topics
