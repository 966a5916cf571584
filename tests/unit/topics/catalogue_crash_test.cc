// The catalogue at every point where the machine can stop: whatever was answered holds, a topic is there whole or not
// at all, and the folder has the logs of the topics that there are and no others.
#include <catch2/catch.hpp>
#include <map>
#include <optional>
#include <random>
#include <set>

#include "server/storage/log_set.h"
#include "server/storage/mem_fs.h"
#include "server/topics/catalogue_log.h"
#include "tests/unit/topics/harness.h"

namespace cohort::topics {
namespace {

using protocol::ErrorCode;
using storage::MemFs;

Result<std::unique_ptr<storage::LogSet>> open_set(MemFs& fs) {
  storage::LogSetOptions options;
  options.dir = "/data";
  options.new_cluster_id = "AAAAAAAAAAAAAAAAAAAAAA";
  return storage::LogSet::open(fs, options);
}

// What the world was told.
struct Told {
  std::map<std::string, protocol::TopicId> topics;  // created and answered, not deleted since
  std::set<protocol::TopicId> deleted;              // answered
  std::set<std::string> unsure;                     // asked for, the answer never came
  std::int64_t highest_producer_id = -1;
};

// The catalogue's log without threads: each step writes and syncs, as the driver does before it answers.
struct Machine {
  MemFs& fs;
  Told& told;
  TopicStoreOptions options;
  std::uint64_t& ids;
  std::function<protocol::Uuid()> new_id = [this] { return protocol::Uuid(7, ++ids); };

  // False when the machine stopped.
  bool run(int steps) {
    auto set = open_set(fs);
    if (!set) return false;
    auto log = CatalogueLog::open(**set);
    if (!log) return false;
    CatalogueCore core(options);
    REQUIRE(log->replay(core).has_value());
    check(core);
    for (int step = 0; step < steps; ++step) {
      CatalogueOutput output;
      const std::string name = "t" + std::to_string(step % 3);
      const bool create = !told.topics.contains(name);
      std::vector<CreatedTopic> created;
      std::vector<DeletedTopic> deleted;
      std::int64_t first_id = -1;
      if (step % 4 == 3)
        first_id = core.reserve_producer_ids(10, output);
      else if (create)
        created = core.auto_create({name}, {1, new_id}, output);
      else
        deleted = core.delete_topics({{name, {}}}, output);
      told.unsure.insert(name);
      if (!log->write(output.records, 1)) return false;
      if (step % 5 == 4 && !log->replace_all(core.snapshot_records(), 1)) return false;
      told.unsure.erase(name);
      if (first_id >= 0) {
        CHECK(first_id > told.highest_producer_id);
        told.highest_producer_id = first_id + 9;
      }
      if (!created.empty()) told.topics[name] = created[0].id;
      if (!deleted.empty()) {
        told.deleted.insert(told.topics[name]);
        told.topics.erase(name);
      }
    }
    return true;
  }

  void check(const CatalogueCore& core) {
    std::map<std::string, const TopicInfo*> there;
    const auto topics = core.topics();
    for (const auto& topic : topics) there[topic->name.value()] = topic.get();
    for (const auto& [name, id] : told.topics) {
      if (told.unsure.contains(name)) continue;
      REQUIRE(there.contains(name));
      CHECK(there[name]->id == id);
    }
    for (const auto& topic : topics) {
      CHECK(topic->partitions == options.defaults.num_partitions);
      CHECK_FALSE(told.deleted.contains(topic->id));
    }
    CHECK(core.next_producer_id() > told.highest_producer_id);
    // What was unsure is decided now.
    for (const std::string& name : told.unsure) {
      if (there.contains(name))
        told.topics[name] = there[name]->id;
      else
        told.topics.erase(name);
    }
    told.unsure.clear();
  }
};

TEST_CASE("the catalogue's log survives a stop at every I/O point") {
  std::uint64_t total = 0;
  {
    MemFs fs;
    Told told;
    std::uint64_t ids = 0;
    REQUIRE(Machine{fs, told, {}, ids}.run(20));
    total = fs.operations();
  }
  REQUIRE(total > 40);
  for (std::uint64_t stop = 0; stop < total; ++stop) {
    for (const std::uint64_t seed : {1, 2, 3}) {
      INFO("stop after " << stop << ", seed " << seed);
      MemFs fs;
      Told told;
      std::uint64_t ids = 0;
      std::mt19937_64 random(seed * 1000 + stop);
      fs.stop_after(stop);
      Machine{fs, told, {}, ids}.run(20);
      fs.crash(random);
      // Once more in the middle of what follows, then to the end.
      fs.stop_after(stop / 2);
      Machine{fs, told, {}, ids}.run(20);
      fs.crash(random);
      REQUIRE(Machine{fs, told, {}, ids}.run(5));
      REQUIRE(Machine{fs, told, {}, ids}.run(0));
    }
  }
}

// The whole store: folders and records together.
void check_folders(StoreHarness& store) {
  const auto snapshot = store.store().snapshot();
  std::set<storage::LogId> expected{CatalogueLog::log_id()};
  for (const auto& topic : snapshot->topics()) {
    for (std::int32_t p = 0; p < topic->partitions; ++p) expected.insert({topic->name, topic->id, p});
  }
  const auto stored = store.logs().stored();
  CHECK(std::set<storage::LogId>(stored.begin(), stored.end()) == expected);
}

TEST_CASE("a deletion that stops at any I/O point is finished or was never answered") {
  std::uint64_t before = 0;
  std::uint64_t after = 0;
  const auto prepare = [](StoreHarness& store) {
    store.start();
    store.create("doomed", 2);
    return store.create("kept", 1).id;
  };
  const auto act = [](StoreHarness& store) {
    const bool deleted = store.remove("doomed").error == ErrorCode::kNone;
    const bool again = deleted && store.create("doomed", 1).error == ErrorCode::kNone;
    return std::pair(deleted, again);
  };
  {
    MemFs fs;
    StoreHarness store(fs);
    prepare(store);
    before = fs.operations();
    act(store);
    after = fs.operations();
  }
  REQUIRE(after > before + 10);
  for (std::uint64_t stop = 0; stop < after - before; ++stop) {
    INFO("stop after " << stop);
    MemFs fs;
    StoreHarness store(fs);
    const auto kept = prepare(store);
    const auto first = store.store().snapshot()->find("doomed")->id;
    fs.stop_after(stop);
    const auto [deleted, again] = act(store);
    store.kill();
    std::mt19937_64 random(stop);
    fs.crash(random);
    store.start();
    check_folders(store);
    const auto snapshot = store.store().snapshot();
    REQUIRE(snapshot->find("kept") != nullptr);
    CHECK(snapshot->find("kept")->id == kept);
    const TopicInfo* doomed = snapshot->find("doomed");
    if (deleted) CHECK((doomed == nullptr || doomed->id != first));
    if (again) REQUIRE(doomed != nullptr);
    if (doomed != nullptr) {
      CHECK(doomed->partitions == (doomed->id == first ? 2 : 1));
      CHECK(store.produce({doomed->id, 0}, make_batch(1)).error == ErrorCode::kNone);
    }
  }
}

TEST_CASE("making a topic that stops at any I/O point never ends in a refused start") {
  std::uint64_t before = 0;
  std::uint64_t after = 0;
  const auto act = [](StoreHarness& store) {
    store.create("new", 2);
    std::vector<CreatePartitions> more{{.topic = "new", .count = 4, .assignments = std::nullopt}};
    StoreHarness::get(store.begin<std::vector<TopicOutcome>>(
        0, [&store, more](auto done) { store.store().create_partitions(more, false, std::move(done)); }));
    store.create("second", 1);
  };
  {
    MemFs fs;
    StoreHarness store(fs);
    store.start();
    before = fs.operations();
    act(store);
    after = fs.operations();
  }
  for (std::uint64_t stop = 0; stop < after - before; ++stop) {
    INFO("stop after " << stop);
    MemFs fs;
    StoreHarness store(fs);
    store.start();
    fs.stop_after(stop);
    act(store);
    store.kill();
    std::mt19937_64 random(stop);
    fs.crash(random);
    store.start();
    check_folders(store);
  }
}

TEST_CASE("a partition folder that was there and is lost is a refused start, and nothing changes") {
  MemFs fs;
  StoreHarness store(fs);
  store.start();
  store.create("orders", 2);
  const std::string lost = GENERATE("orders-1", "__consumer_offsets-0");
  const bool orderly = GENERATE(true, false);
  if (orderly)
    store.stop();
  else
    store.kill();
  const std::string dir = "/data/" + lost;
  const auto files = fs.list(dir);
  REQUIRE(files);
  for (const auto& file : *files) REQUIRE(fs.remove(dir + "/" + file.name));
  REQUIRE(fs.remove_dir(dir));
  for (int i = 0; i < 2; ++i) {
    const auto started = store.try_start();
    REQUIRE_FALSE(started);
    CHECK_THAT(started.error().message, Catch::Matchers::Contains(dir + " is missing"));
  }
}

// All of a file system's data folder, to see that a refused start left the logs of topics alone.
std::map<std::string, std::string> logs_of(MemFs& fs, const std::string& topic) {
  std::map<std::string, std::string> all;
  for (const auto& folder : *fs.list("/data")) {
    if (!folder.is_dir || !folder.name.starts_with(topic)) continue;
    for (const auto& file : *fs.list("/data/" + folder.name)) {
      const std::string path = "/data/" + folder.name + "/" + file.name;
      all[path] = fs.contents(path);
    }
  }
  return all;
}

TEST_CASE("nothing is removed because the catalogue or a folder's id is not what it was") {
  MemFs fs;
  StoreHarness store(fs);
  store.start();
  store.create("first", 1);
  const auto id = store.create("orders", 2).id;
  REQUIRE(store.produce({id, 0}, make_batch(1)).error == ErrorCode::kNone);
  store.kill();
  const auto before = logs_of(fs, "orders");
  const std::string metadata = "/data/orders-0/partition.metadata";
  const std::string catalogue = "/data/__cohort_catalogue-0/00000000000000000000.log";
  const std::string whole_metadata = fs.contents(metadata);
  const std::string whole_catalogue = fs.contents(catalogue);
  SECTION("another id in the folder") {
    fs.overwrite(metadata, "version: 0\ntopic_id: " + protocol::Uuid(5, 5).to_string());
    const auto started = store.try_start();
    REQUIRE_FALSE(started);
    CHECK_THAT(started.error().message, Catch::Matchers::Contains("/data/orders-0 is missing"));
    fs.overwrite(metadata, whole_metadata);
  }
  SECTION("a catalogue that ends before the topic was made") {
    // Its batches: internal topic, mark, first, mark, orders, mark.
    std::size_t end = 0;
    for (int batch = 0; batch < 4; ++batch) {
      end += protocol::BatchHeader(reinterpret_cast<const std::byte*>(whole_catalogue.data() + end)).size_in_bytes();
    }
    fs.overwrite(catalogue, whole_catalogue.substr(0, end));
    const auto started = store.try_start();
    REQUIRE_FALSE(started);
    CHECK_THAT(started.error().message, Catch::Matchers::Contains("/data/orders-0 is of topic id"));
    fs.overwrite(catalogue, whole_catalogue);
  }
  CHECK(logs_of(fs, "orders") == before);
  store.start();
  CHECK(store.produce({id, 0}, make_batch(1)).base_offset == 1);
}

TEST_CASE("a data folder with logs and no catalogue of them is refused and left as it is") {
  MemFs fs;
  StoreHarness store(fs);
  store.start();
  store.create("orders", 1);
  store.stop();
  for (const auto& file : *fs.list("/data/__cohort_catalogue-0")) {
    REQUIRE(fs.remove("/data/__cohort_catalogue-0/" + file.name));
  }
  REQUIRE(fs.remove_dir("/data/__cohort_catalogue-0"));
  for (int i = 0; i < 2; ++i) {
    const auto started = store.try_start();
    REQUIRE_FALSE(started);
    CHECK_THAT(started.error().message, Catch::Matchers::Contains("/data holds logs of topics and no catalogue"));
  }
  CHECK_FALSE(fs.list("/data/__cohort_catalogue-0"));
}

TEST_CASE("changes of one topic that are decided together come to what the last one says") {
  MemFs fs;
  StoreHarness store(fs);
  store.start();
  store.create("old", 2);
  std::promise<void> done;
  store.pool()[0].post([&] {
    const auto ignore = [](const auto&) {};
    const auto create = [&](std::string name) {
      CreateTopic topic;
      topic.name = std::move(name);
      topic.partitions = 2;
      store.store().create_topics({topic}, false, ignore);
    };
    create("first");  // is written at once; what follows waits and is decided together
    create("deleted");
    store.store().delete_topics({{"deleted", {}}}, ignore);
    store.store().create_partitions({{.topic = "old", .count = 3, .assignments = std::nullopt}}, false, ignore);
    store.store().delete_topics({{"old", {}}}, [&](const auto&) { done.set_value(); });
  });
  StoreHarness::get(done.get_future());
  check_folders(store);
  for (const char* name : {"deleted", "old"}) {
    const CreatedTopic again = store.create(name, 3);
    CHECK(again.error == ErrorCode::kNone);
    for (const std::int32_t partition : {0, 1, 2}) {
      CHECK(store.produce({again.id, partition}, make_batch(1)).error == ErrorCode::kNone);
    }
  }
  check_folders(store);
}

TEST_CASE("a catalogue that cannot be written says so, and works again afterwards") {
  MemFs fs;
  TopicStoreOptions options;
  options.retry_after = Duration{0};
  StoreHarness store(fs, options);
  store.start();
  store.create("a", 1);
  fs.fail(MemFs::Op::kSync, 1, EIO);
  CHECK(store.create("b", 1).error == ErrorCode::kKafkaStorageError);
  fs.clear_faults();
  CHECK(store.store().snapshot()->find("b") == nullptr);
  const CreatedTopic answer = store.create("b", 1);
  CHECK(answer.error == ErrorCode::kNone);
  check_folders(store);
}

TEST_CASE("a write of the catalogue that fails leaves nothing behind, however many batches it has") {
  for (std::uint64_t nth = 1; nth <= 4; ++nth) {
    INFO("the write that fails: " << nth);
    MemFs fs;
    auto set = open_set(fs);
    REQUIRE(set.has_value());
    auto log = CatalogueLog::open(**set);
    REQUIRE(log.has_value());
    TopicStoreOptions options;
    CatalogueCore core(options);
    CatalogueOutput output;
    std::uint64_t ids = 0;
    const std::function<protocol::Uuid()> new_id = [&ids] { return protocol::Uuid(7, ++ids); };
    std::vector<CreateTopic> topics(3000);
    for (std::size_t i = 0; i < topics.size(); ++i) topics[i].name = std::string(200, 'a') + std::to_string(i);
    core.create_topics(topics, false, {.now_ms = 1, .new_id = new_id}, output);
    REQUIRE(output.records.size() == topics.size());

    fs.fail(MemFs::Op::kWrite, nth, EIO);
    const bool written = log->write(output.records, 1).has_value();
    fs.clear_faults();
    REQUIRE(log->recover().has_value());
    CatalogueCore again(options);
    REQUIRE(log->replay(again).has_value());
    CHECK(again.topic_count() == (written ? topics.size() : 0));
  }
}

TEST_CASE("the catalogue's log stays short") {
  MemFs fs;
  auto set = open_set(fs);
  REQUIRE(set.has_value());
  auto log = CatalogueLog::open(**set);
  REQUIRE(log.has_value());
  TopicStoreOptions options;
  CatalogueCore core(options);
  int replaced = 0;
  for (int i = 0; i < 3000; ++i) {
    CatalogueOutput output;
    core.reserve_producer_ids(1, output);
    REQUIRE(log->write(output.records, 1).has_value());
    if (log->is_long(core.live_records())) {
      REQUIRE(log->replace_all(core.snapshot_records(), 1).has_value());
      ++replaced;
    }
  }
  CHECK(replaced == 2);
  CatalogueCore again(options);
  REQUIRE(log->replay(again).has_value());
  CHECK(again.next_producer_id() == 3000);
  CHECK_FALSE(log->is_long(0));
}

// So many topics that their records do not fit into one piece; the deletions are not carried out yet.
TEST_CASE("a catalogue that is replaced in pieces keeps what is not carried out, wherever the process dies") {
  constexpr int kTopics = 5'800;
  constexpr int kDeleted = 2'000;
  bool is_done = false;
  for (std::uint64_t stop = 1; !is_done; ++stop) {
    MemFs fs;
    std::uint64_t ids = 0;
    const std::function<protocol::Uuid()> new_id = [&] { return protocol::Uuid(7, ++ids); };
    const TopicStoreOptions options;
    CatalogueCore core(options);
    std::vector<CreateTopic> topics(kTopics);
    for (int i = 0; i < kTopics; ++i) topics[i].name = std::to_string(10'000 + i) + std::string(190, 'x');
    for (auto& topic : topics) topic.partitions = 1;
    std::vector<DeleteTopic> deletions;
    for (int i = 0; i < kDeleted; ++i) deletions.push_back({topics[i].name, {}});
    std::vector<protocol::TopicId> gone;
    {
      auto set = open_set(fs);
      REQUIRE(set.has_value());
      auto log = CatalogueLog::open(**set);
      REQUIRE(log.has_value());
      CatalogueOutput made;
      core.create_topics(topics, false, {1, new_id}, made);
      core.mark_carried_out(made);
      REQUIRE(log->write(made.records, 1));
      CatalogueOutput deleted;
      for (const auto& answer : core.delete_topics(deletions, deleted)) gone.push_back(answer.id);
      REQUIRE(log->write(deleted.records, 1));
      fs.stop_after(stop);
      is_done = log->replace_all(core.snapshot_records(), 1).has_value();
    }
    fs.kill();
    auto set = open_set(fs);
    REQUIRE(set.has_value());
    auto log = CatalogueLog::open(**set);
    REQUIRE(log.has_value());
    CatalogueCore again(options);
    REQUIRE(log->replay(again));
    CHECK(std::ranges::all_of(gone, [&](const auto& id) { return again.may_be_left(id); }));
  }
}

}  // namespace
}  // namespace cohort::topics
