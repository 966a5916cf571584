#include "server/topics/topic_store.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <cerrno>

#include "protocol/base/log.h"
#include "tests/unit/topics/harness.h"

namespace cohort::topics {
namespace {

using protocol::ErrorCode;
using storage::MemFs;

std::atomic<int> g_complaints{0};

// Counts warnings and errors while it lives.
struct ComplaintCount {
  ComplaintCount() {
    g_complaints = 0;
    log::set_sink(
        [](log::Level level, std::string_view, std::string_view) { g_complaints += level >= log::Level::kWarn; });
  }
  ~ComplaintCount() {
    log::set_sink([](log::Level, std::string_view, std::string_view) {});
  }
};

TEST_CASE("a new data folder has the internal topic and the cluster's id") {
  MemFs fs;
  StoreHarness store(fs);
  store.start();
  const auto snapshot = store.store().snapshot();
  CHECK(snapshot->cluster_id() == "AAAAAAAAAAAAAAAAAAAAAA");
  const TopicInfo* offsets = snapshot->find(kConsumerOffsetsTopic);
  REQUIRE(offsets != nullptr);
  CHECK(offsets->internal);
  CHECK(offsets->partitions == 4);
  CHECK(offsets->config.clean_by_compact);
  CHECK(snapshot->find(offsets->id) == offsets);
  CHECK(store.store().internal_log({offsets->id, 3}) != nullptr);
  CHECK(store.store().internal_log({offsets->id, 4}) == nullptr);
}

TEST_CASE("topics: created, seen on every reactor, deleted, created again under another id") {
  MemFs fs;
  StoreHarness store(fs);
  store.start();
  const CreatedTopic made = store.create("a", 3);
  CHECK(made.error == ErrorCode::kNone);
  for (const std::size_t reactor : {0, 1}) {
    const auto partitions = StoreHarness::get(store.begin<std::int32_t>(reactor, [&](auto done) {
      const TopicInfo* topic = store.store().snapshot()->find("a");
      done(topic == nullptr ? 0 : topic->partitions);
    }));
    CHECK(partitions == 3);
  }
  CHECK(store.create("a", 3).error == ErrorCode::kTopicAlreadyExists);
  CHECK(store.produce({made.id, 0}, make_batch(2)).error == ErrorCode::kNone);
  CHECK(store.remove("a").error == ErrorCode::kNone);
  CHECK(store.produce({made.id, 0}, make_batch(2)).error == ErrorCode::kUnknownTopicOrPartition);
  CHECK(store.logs().find(protocol::TopicName("a"), 0) == nullptr);
  const CreatedTopic again = store.create("a", 1);
  CHECK(again.error == ErrorCode::kNone);
  CHECK(again.id != made.id);
  CHECK(store.produce({again.id, 0}, make_batch(1)).base_offset == 0);
}

TEST_CASE("the deletion of a topic that was written to is no reason to complain") {
  MemFs fs;
  StoreHarness store(fs);
  store.start();
  const CreatedTopic made = store.create("a", 2);
  CHECK(store.produce({made.id, 0}, make_batch(2)).error == ErrorCode::kNone);
  const ComplaintCount count;
  CHECK(store.remove("a").error == ErrorCode::kNone);
  CHECK(g_complaints == 0);
}

TEST_CASE("produce and fetch over several partitions and reactors") {
  MemFs fs;
  StoreHarness store(fs);
  store.start();
  const auto id = store.create("a", 5).id;
  ProduceCall call;
  call.version = 9;
  for (std::int32_t p : {4, 0, 3, 1, 2, 9}) call.partitions.push_back({{id, p}, as_bytes(make_batch(p + 1))});
  const auto produced = store.produce(std::move(call), 1);
  REQUIRE(produced.size() == 6);
  for (int i = 0; i < 5; ++i) {
    CHECK(produced[i].error == ErrorCode::kNone);
    CHECK(produced[i].base_offset == 0);
    CHECK(produced[i].log_start_offset == 0);
  }
  CHECK(produced[5].error == ErrorCode::kUnknownTopicOrPartition);

  std::vector<FetchPartition> wanted;
  for (std::int32_t p : {2, 4, 0}) wanted.push_back({{id, p}, 0, 1 << 20, -1});
  for (const std::size_t reactor : {0, 1}) {
    const auto fetched = store.fetch(fetch_call(wanted), reactor);
    REQUIRE(fetched.size() == 3);
    for (std::size_t i = 0; i < 3; ++i) {
      CHECK(fetched[i].error == ErrorCode::kNone);
      CHECK(fetched[i].high_watermark == wanted[i].id.partition + 1);
      CHECK(fetched[i].last_stable_offset == wanted[i].id.partition + 1);
      CHECK(fetched[i].log_start_offset == 0);
      const auto batch = protocol::parse_batch(fetched[i].records.view());
      REQUIRE(batch);
      CHECK(batch->records_count() == wanted[i].id.partition + 1);
    }
  }
}

TEST_CASE("the errors of fetch") {
  MemFs fs;
  StoreHarness store(fs);
  store.start();
  const auto id = store.create("a", 1).id;
  store.produce({id, 0}, make_batch(3));
  const auto error_of = [&](std::int32_t partition, std::int64_t offset, std::int32_t epoch = -1) {
    return store.fetch(fetch_call({{{id, partition}, offset, 1000, epoch}})).at(0).error;
  };
  CHECK(error_of(0, 3) == ErrorCode::kNone);
  CHECK(error_of(0, 4) == ErrorCode::kOffsetOutOfRange);
  CHECK(error_of(0, -1) == ErrorCode::kOffsetOutOfRange);
  CHECK(error_of(1, 0) == ErrorCode::kUnknownTopicOrPartition);
  CHECK(error_of(0, 0, 0) == ErrorCode::kNone);
  CHECK(error_of(0, 0, 1) == ErrorCode::kUnknownLeaderEpoch);
  CHECK(error_of(0, 0, -7) == ErrorCode::kFencedLeaderEpoch);
  CHECK(store.fetch(fetch_call({})).empty());
}

TEST_CASE("byte limits: the first batch of all comes whole, nothing else above the limits") {
  MemFs fs;
  StoreHarness store(fs);
  store.start();
  const auto id = store.create("a", 4).id;
  const auto batch = make_batch(1, {}, 1000, 400);
  for (std::int32_t p = 0; p < 4; ++p) {
    for (int i = 0; i < 3; ++i) store.produce({id, p}, batch);
  }
  const auto sizes = [&](std::int32_t partition_max, std::int32_t max) {
    std::vector<FetchPartition> wanted;
    for (std::int32_t p = 0; p < 4; ++p) wanted.push_back({{id, p}, 0, partition_max, -1});
    std::vector<std::size_t> batches;
    for (const auto& part : store.fetch(fetch_call(wanted, max))) {
      CHECK(part.records.size() % batch.size() == 0);
      batches.push_back(part.records.size() / batch.size());
    }
    return batches;
  };
  const auto one = static_cast<std::int32_t>(batch.size());
  CHECK(sizes(10 * one, 100 * one) == std::vector<std::size_t>{3, 3, 3, 3});
  CHECK(sizes(2 * one, 100 * one) == std::vector<std::size_t>{2, 2, 2, 2});
  CHECK(sizes(10 * one, 4 * one) == std::vector<std::size_t>{3, 1, 0, 0});
  CHECK(sizes(1, 100 * one) == std::vector<std::size_t>{1, 0, 0, 0});
  CHECK(sizes(10 * one, 1) == std::vector<std::size_t>{1, 0, 0, 0});
  CHECK(sizes(0, 0) == std::vector<std::size_t>{1, 0, 0, 0});
}

TEST_CASE("a long poll is woken by an append, on whichever reactor") {
  MemFs fs;
  StoreHarness store(fs);
  store.start();
  const auto id = store.create("a", 4).id;
  for (std::int32_t p = 0; p < 4; ++p) {
    std::vector<FetchPartition> wanted;
    for (std::int32_t q = 0; q < 4; ++q) wanted.push_back({{id, q}, q < p ? 1 : 0, 1 << 20, -1});
    FetchCall call = fetch_call(wanted);
    call.max_wait_ms = 1'000'000;
    auto waiting = store.begin_fetch(call, 1);
    store.produce({id, p}, make_batch(1));
    const auto fetched = StoreHarness::get(std::move(waiting));
    CHECK_FALSE(fetched[static_cast<std::size_t>(p)].records.empty());
    CHECK(fetched[static_cast<std::size_t>(p)].high_watermark == 1);
  }
}

TEST_CASE("a long poll for more bytes than one reactor gets is made up by several") {
  MemFs fs;
  StoreHarness store(fs);
  store.start();
  const auto id = store.create("a", 8).id;
  const auto batch = make_batch(1);
  std::vector<FetchPartition> wanted;
  for (std::int32_t p = 0; p < 8; ++p) wanted.push_back({{id, p}, 0, 1 << 20, -1});
  FetchCall call = fetch_call(wanted);
  call.max_wait_ms = 1'000'000;
  call.min_bytes = static_cast<std::int32_t>(8 * batch.size());
  auto waiting = store.begin_fetch(call, 0);
  for (std::int32_t p = 0; p < 8; ++p) {
    CHECK(waiting.wait_for(std::chrono::seconds{0}) == std::future_status::timeout);
    store.produce({id, p}, batch);
  }
  std::size_t bytes = 0;
  for (const auto& part : StoreHarness::get(std::move(waiting))) bytes += part.records.size();
  CHECK(bytes == 8 * batch.size());
}

TEST_CASE("a long poll ends with its deadline, with an error, with the topic") {
  MemFs fs;
  StoreHarness store(fs);
  store.start();
  const auto id = store.create("a", 2).id;
  FetchCall call = fetch_call({{{id, 0}, 0, 1 << 20, -1}, {{id, 1}, 0, 1 << 20, -1}});
  call.max_wait_ms = 1;
  CHECK(store.fetch(call).at(0).high_watermark == 0);
  call.max_wait_ms = 1'000'000;
  call.partitions[1].fetch_offset = 7;
  CHECK(store.fetch(call).at(1).error == ErrorCode::kOffsetOutOfRange);
  call.partitions[1].fetch_offset = 0;
  auto waiting = store.begin_fetch(call, 1);
  store.remove("a");
  // The partitions go one by one, and the first one that is gone ends the waiting.
  const auto gone = StoreHarness::get(std::move(waiting));
  CHECK((gone.at(0).error == ErrorCode::kUnknownTopicOrPartition ||
         gone.at(1).error == ErrorCode::kUnknownTopicOrPartition));
}

TEST_CASE("a cancelled fetch is not answered and leaves nothing behind") {
  MemFs fs;
  StoreHarness store(fs);
  store.start();
  const auto id = store.create("a", 4).id;
  std::vector<FetchPartition> wanted;
  for (std::int32_t p = 0; p < 4; ++p) wanted.push_back({{id, p}, 0, 1 << 20, -1});
  FetchCall call = fetch_call(wanted);
  call.max_wait_ms = 1'000'000;
  std::atomic<bool> answered = false;
  StoreHarness::get(store.begin<bool>(0, [&](auto done) {
    const auto fetch = store.store().fetch(call, [&](auto) { answered = true; });
    store.store().cancel_fetch(fetch);
    store.store().cancel_fetch(fetch + 1);
    done(true);
  }));
  for (std::int32_t p = 0; p < 4; ++p) store.produce({id, p}, make_batch(1));
  CHECK_FALSE(answered);
}

TEST_CASE("listing offsets") {
  MemFs fs;
  StoreHarness store(fs);
  store.start();
  const auto id = store.create("a", 2).id;
  store.produce({id, 0}, make_batch(3, {}, 1000));  // 1000 to 1002
  store.produce({id, 0}, make_batch(2, {}, 500));   // 500, 501
  store.produce({id, 0}, make_batch(1, {}, 2000));
  const auto list = [&](std::int64_t timestamp, std::int32_t partition = 0) {
    ListOffsetsCall call;
    call.partitions = {{{id, partition}, timestamp, -1}};
    return store.list(call, 1).at(0);
  };
  CHECK(list(kLatestTimestamp).offset == 6);
  CHECK(list(kLatestTimestamp).timestamp == -1);
  CHECK(list(kLatestTimestamp).leader_epoch == 0);
  CHECK(list(kEarliestTimestamp).offset == 0);
  CHECK(list(kEarliestLocalTimestamp).offset == 0);
  CHECK(list(kMaxTimestamp).offset == 5);
  CHECK(list(kMaxTimestamp).timestamp == 2000);
  CHECK(list(kMaxTimestamp, 1).offset == -1);
  CHECK(list(kLatestTieredTimestamp).offset == -1);
  CHECK(list(kEarliestPendingUploadTimestamp).offset == -1);
  CHECK(list(1001).offset == 1);
  CHECK(list(1001).timestamp == 1001);
  CHECK(list(0).offset == 0);
  CHECK(list(2001).offset == -1);
  CHECK(list(0, 7).error == ErrorCode::kUnknownTopicOrPartition);
}

TEST_CASE("what was acknowledged is there after an orderly end and after kill -9; repeats are recognised") {
  MemFs fs;
  StoreHarness store(fs);
  const bool orderly = GENERATE(true, false);
  store.start();
  const auto id = store.create("a", 2).id;
  for (std::int32_t i = 0; i < 7; ++i) store.produce({id, 1}, make_batch(1, {3, 1, i}));
  if (orderly) {
    store.stop();
  } else {
    store.kill();
    fs.kill();
  }
  store.start();
  CHECK(store.store().snapshot()->find("a")->id == id);
  const auto again = store.produce({id, 1}, make_batch(1, {3, 1, 4}));
  CHECK(again.error == ErrorCode::kNone);
  CHECK(again.base_offset == 4);
  CHECK(store.produce({id, 1}, make_batch(1, {3, 1, 8})).error == ErrorCode::kOutOfOrderSequenceNumber);
  CHECK(store.produce({id, 1}, make_batch(1, {3, 1, 7})).base_offset == 7);
}

TEST_CASE("a topic that syncs: acks=all survives a power loss, acks=1 does not wait") {
  MemFs fs;
  StoreHarness store(fs);
  store.start();
  const auto id = store.create("a", 1, {{"cohort.durability", "sync"}}).id;
  for (int i = 0; i < 5; ++i) CHECK(store.produce({id, 0}, make_batch(1), -1).base_offset == i);
  CHECK(store.produce({id, 0}, make_batch(1), 1).base_offset == 5);
  store.kill();
  std::mt19937_64 random(7);
  fs.crash(random);
  store.start();
  ListOffsetsCall call;
  call.partitions = {{{id, 0}, kLatestTimestamp, -1}};
  CHECK(store.list(call).at(0).offset >= 5);
}

TEST_CASE("a change of the durability reaches the partitions") {
  MemFs fs;
  StoreHarness store(fs);
  store.start();
  const auto id = store.create("a", 1).id;
  const auto set = [&](std::string durability) { return store.set_config("a", "cohort.durability", durability, 1); };
  CHECK(set("sync") == ErrorCode::kNone);
  CHECK(store.produce({id, 0}, make_batch(1)).base_offset == 0);
  CHECK(store.logs().find(protocol::TopicName("a"), 0)->durable_offset() == 1);
  CHECK(set("os") == ErrorCode::kNone);
  CHECK(store.produce({id, 0}, make_batch(1)).base_offset == 1);
  CHECK(store.fetch(fetch_call({{{id, 0}, 0, 1 << 20, -1}})).at(0).high_watermark == 2);
}

TEST_CASE("more partitions are there when the answer is") {
  MemFs fs;
  StoreHarness store(fs);
  store.start();
  const auto id = store.create("a", 1).id;
  const auto outcome = StoreHarness::get(store.begin<std::vector<TopicOutcome>>(
      1, [&](auto done) { store.store().create_partitions({{"a", 3, {}}}, false, std::move(done)); }));
  CHECK(outcome.at(0).error == ErrorCode::kNone);
  CHECK(store.produce({id, 2}, make_batch(1)).error == ErrorCode::kNone);
}

TEST_CASE("a failed write: the producer hears of it, the partition recovers, nothing is there twice") {
  MemFs fs;
  StoreHarness store(fs);
  store.start();
  CreateTopic request;
  request.name = "a";
  request.partitions = 1;
  const auto op = GENERATE(MemFs::Op::kWrite, MemFs::Op::kSync);
  request.configs = {{"cohort.durability", op == MemFs::Op::kSync ? "sync" : "os"}};
  const auto id = store.create(request).id;
  CHECK(store.produce({id, 0}, make_batch(1, {3, 0, 0})).base_offset == 0);
  fs.fail(op, 1, EIO);
  CHECK(store.produce({id, 0}, make_batch(1, {3, 0, 1})).error == ErrorCode::kKafkaStorageError);
  fs.clear_faults();
  // The reload is a job; until it is done the answer is the same, and it says so.
  ProducedPartition answer;
  for (int i = 0; i < 10'000; ++i) {
    answer = store.produce({id, 0}, make_batch(1, {3, 0, 1}));
    if (answer.error != ErrorCode::kKafkaStorageError) break;
  }
  CHECK(answer.error == ErrorCode::kNone);
  CHECK(answer.base_offset == 1);
  CHECK(store.fetch(fetch_call({{{id, 0}, 0, 1 << 20, -1}})).at(0).high_watermark == 2);
}

TEST_CASE("records that wait for the disk are bounded") {
  MemFs fs;
  TopicStoreOptions options;
  options.max_inflight_bytes = 100;
  StoreHarness store(fs, options);
  store.start();
  const auto id = store.create("a", 1).id;
  CHECK(store.produce({id, 0}, make_batch(1, {}, 1, 200)).error == ErrorCode::kKafkaStorageError);
  CHECK(store.produce({id, 0}, make_batch(1, {}, 1, 1)).error == ErrorCode::kNone);
}

TEST_CASE("parked fetches are bounded: one more is answered at once") {
  MemFs fs;
  TopicStoreOptions options;
  options.max_parked_fetches = 1;
  StoreHarness store(fs, options, 1);
  store.start();
  const auto id = store.create("a", 1).id;
  FetchCall call = fetch_call({{{id, 0}, 0, 1 << 20, -1}});
  call.max_wait_ms = 1'000'000;
  auto waiting = store.begin_fetch(call);
  CHECK(store.fetch(call).at(0).records.empty());
  store.produce({id, 0}, make_batch(1));
  const auto fetched = StoreHarness::get(std::move(waiting));
  CHECK_FALSE(fetched.at(0).records.empty());
}

TEST_CASE("internal topics are read up to what their writer announced, and not produced to") {
  MemFs fs;
  StoreHarness store(fs);
  store.start();
  const PartitionId id{store.store().snapshot()->find(kConsumerOffsetsTopic)->id, 1};
  CHECK(store.produce(id, make_batch(1)).error == ErrorCode::kInvalidTopicException);
  const auto log = store.store().internal_log(id);
  REQUIRE(log->append(make_batch(2)).has_value());
  FetchCall call = fetch_call({{id, 0, 1 << 20, -1}});
  CHECK(store.fetch(call).at(0).high_watermark == 0);
  call.max_wait_ms = 1'000'000;
  auto waiting = store.begin_fetch(call, 0);
  REQUIRE(log->sync().has_value());
  REQUIRE(store.store().reactor_of(id) == 1);
  StoreHarness::get(store.begin<bool>(1, [&](auto done) {
    store.store().internal_durable(id, log->durable_offset());
    done(true);
  }));
  const auto fetched = StoreHarness::get(std::move(waiting));
  CHECK(fetched.at(0).high_watermark == 2);
  CHECK_FALSE(fetched.at(0).records.empty());
}

TEST_CASE("producer ids are never handed out twice") {
  MemFs fs;
  StoreHarness store(fs);
  std::int64_t last = -1;
  for (int round = 0; round < 3; ++round) {
    store.start();
    for (int i = 0; i < 1002; ++i) {
      const auto id = store.producer_id(static_cast<std::size_t>(i % 2));
      REQUIRE(id.has_value());
      REQUIRE(*id > last);
      last = *id;
    }
    store.kill();
    std::mt19937_64 random(static_cast<std::uint64_t>(round));
    fs.crash(random);
  }
}

TEST_CASE("a catalogue that is gone while logs are there stops the start") {
  MemFs fs;
  StoreHarness store(fs);
  store.start();
  store.create("a", 1);
  store.stop();
  {
    storage::LogSetOptions set;
    set.dir = "/data";
    set.new_cluster_id = "AAAAAAAAAAAAAAAAAAAAAA";
    auto logs = storage::LogSet::open(fs, set);
    REQUIRE(logs.has_value());
    for (const auto& id : (*logs)->stored()) {
      if (id.topic == protocol::TopicName(std::string(kCatalogueTopic))) REQUIRE((*logs)->remove(id).has_value());
    }
  }
  const auto started = store.try_start();
  REQUIRE_FALSE(started.has_value());
  CHECK_THAT(started.error().message, Catch::Contains("no catalogue of them"));
}

}  // namespace
}  // namespace cohort::topics
