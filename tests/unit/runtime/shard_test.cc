// The driver on real reactors, log threads and workers, with a log on MemFs.
#include "server/runtime/shard.h"

#include <catch2/catch.hpp>
#include <cerrno>
#include <future>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "server/reactor/reactor_pool.h"
#include "server/runtime/random_ids.h"
#include "server/runtime/router_impl.h"
#include "server/runtime/shard_impl.h"
#include "server/storage/log_set.h"
#include "server/storage/log_threads.h"
#include "server/storage/mem_fs.h"
#include "tests/unit/runtime/scripted_family.h"

namespace cohort::runtime {
namespace {

using namespace test;
using storage::MemFs;
using Texts = std::vector<std::string>;

std::string text_of(const ScriptResponse& response) {
  if (response.refused == protocol::ErrorCode::kNone) return response.text;
  return "!" + std::to_string(static_cast<int>(response.refused));
}

// Two reactors; shard i lives on reactor i.
class Server {
 public:
  explicit Server(MemFs& fs, ShardLimits limits = {}, storage::Durability durability = storage::Durability::kSync)
      : pool_(2), log_threads_(2), workers_(1) {
    logs_ = std::move(*storage::LogSet::open(fs, {.dir = "/data", .new_cluster_id = "test"}));
    storage::LogOptions options;
    options.durability = durability;
    std::vector<Shard<ScriptFamily>*> shards;
    for (std::int32_t i = 0; i < 2; ++i) {
      const storage::LogId id{protocol::TopicName("log"), protocol::TopicId(protocol::Uuid(1, 1)), i};
      opened_.push_back(*logs_->open_or_create(id, options));
      shards_.push_back(std::make_unique<Shard<ScriptFamily>>(
          ShardPlace{.name = "log-" + std::to_string(i),
                     .reactor = pool_[static_cast<std::size_t>(i)],
                     .log = *opened_.back(),
                     .log_threads = log_threads_,
                     .log_key = static_cast<std::uint64_t>(i),
                     .workers = workers_,
                     .on_durable = [this](std::int64_t end) { durable_end_ = end; }},
          config_, limits, std::make_unique<RandomIds>(), std::make_shared<coordinator::MetadataView>()));
      shards.push_back(shards_.back().get());
    }
    router_ = std::make_unique<Router<ScriptFamily>>(std::move(shards));
    pool_.start();
    for (auto& shard : shards_) shard->start();
  }
  ~Server() {
    for (auto& shard : shards_) {
      std::promise<void> drained;
      shard->stop([&] { drained.set_value(); });
      drained.get_future().get();
    }
    kill();
  }
  // Without waiting for anything.
  void kill() {
    pool_.stop();
    log_threads_.stop();
    workers_.stop();
  }

  // The answer to one request made on reactor `home`, asked again while the shard loads.
  std::string ask(std::int32_t partition, const Script& script, std::size_t home = 0);
  std::size_t reactor_of_last_answer() const { return answered_on_; }
  std::int64_t durable_end() const { return durable_end_; }
  Router<ScriptFamily>& router() { return *router_; }
  reactor::ReactorPool& pool() { return pool_; }
  storage::Log& log(std::size_t i) { return *opened_[i]; }
  Shard<ScriptFamily>& shard(std::size_t i) { return *shards_[i]; }

 private:
  struct Call final : ShardCall<ScriptFamily> {
    Call(const Script& script, Server& s, std::promise<std::string>& a) : ShardCall(script), server(s), answer(a) {}
    void complete(std::unique_ptr<ShardCall<ScriptFamily>>) override {
      server.answered_on_ = reactor::Reactor::current()->index();
      answer.set_value(text_of(response()));
    }
    Server& server;
    std::promise<std::string>& answer;
  };

  ScriptConfig config_;
  reactor::ReactorPool pool_;
  std::unique_ptr<storage::LogSet> logs_;
  std::vector<std::shared_ptr<storage::Log>> opened_;
  storage::LogThreads log_threads_;
  storage::LogThreads workers_;
  std::vector<std::unique_ptr<Shard<ScriptFamily>>> shards_;
  std::unique_ptr<Router<ScriptFamily>> router_;
  std::atomic<std::size_t> answered_on_{9};
  std::atomic<std::int64_t> durable_end_{0};
};

std::string Server::ask(std::int32_t partition, const Script& script, std::size_t home) {
  while (true) {
    std::promise<std::string> answer;
    pool_[home].post([&] { router_->submit(partition, std::make_unique<Call>(script, *this, answer)); });
    std::string text = answer.get_future().get();
    if (text != "!14") return text;
  }
}

MemFs& with_parent(MemFs& fs) {
  (void)fs.make_dir("/");
  return fs;
}

TEST_CASE("A call goes to its shard and comes home, from the same reactor and from another") {
  MemFs fs;
  Server server(with_parent(fs));
  CHECK(server.ask(0, script_writing("a", "1"), 0) == "");
  CHECK(server.reactor_of_last_answer() == 0);
  CHECK(server.ask(1, script_writing("b", "2"), 0) == "");
  CHECK(server.reactor_of_last_answer() == 0);
  CHECK(server.ask(1, script_reading("b", 0), 1) == "2");
  CHECK(server.reactor_of_last_answer() == 1);
  CHECK(server.ask(0, script_reading("b"), 1) == "");
  CHECK(server.reactor_of_last_answer() == 1);
  CHECK(server.log(0).durable_offset() == 1);
  CHECK(server.durable_end() == 1);
}

TEST_CASE("What was answered is there after the death of the machine") {
  MemFs fs;
  std::mt19937_64 random(1);
  std::vector<std::string> acknowledged;
  {
    Server server(with_parent(fs));
    for (int i = 0; i < 40; ++i) {
      if (server.ask(i % 2, script_writing(std::to_string(i), "x")) == "") acknowledged.push_back(std::to_string(i));
    }
    fs.crash(random);  // the server's own stop comes too late
  }
  CHECK(acknowledged.size() == 40);
  Server server(fs);
  for (int i = 0; i < 40; ++i) CHECK(server.ask(i % 2, script_reading(std::to_string(i))) == "x");
}

TEST_CASE("After a failed sync the shard comes back with what is durable, and goes on") {
  MemFs fs;
  Server server(with_parent(fs));
  REQUIRE(server.ask(0, script_writing("a", "1")) == "");
  fs.fail(MemFs::Op::kSync, 1, EIO);
  CHECK(server.ask(0, script_writing("a", "2")) == "!16");
  CHECK(server.ask(0, script_reading("a", 0)) == "1");
  CHECK(server.ask(0, script_writing("a", "3")) == "");
  CHECK(server.ask(0, script_reading("a", 1)) == "3");
}

TEST_CASE(
    "With a log that does not sync what was answered is there after the death of the process, whatever the disk does") {
  MemFs fs;
  {
    Server server(with_parent(fs), {.retry_backoff = Duration{1}, .max_retry_backoff = Duration{1}},
                  storage::Durability::kOs);
    REQUIRE(server.ask(0, script_writing("a", "1")) == "");
    CHECK(server.durable_end() == 1);
    fs.fail(MemFs::Op::kSync, 1, EIO, /*repeat=*/true);
    for (int i = 2; i < 20; ++i) REQUIRE(server.ask(0, script_writing("a", std::to_string(i))) == "");
    CHECK(server.ask(0, script_reading("a")) == "19");
    CHECK(server.log(0).durable_offset() < server.log(0).end_offset());
    // A new segment wants a sync.
    CHECK_FALSE(server.log(0).roll());
    CHECK(server.ask(0, script_writing("a", "20")) == "!16");
    fs.clear_faults();
    while (server.ask(0, script_reading("a")) != "19") {
    }
    while (server.ask(0, script_writing("a", "21")) != "") {
    }
    fs.kill();  // the server's own stop comes too late
  }
  Server server(fs, {}, storage::Durability::kOs);
  CHECK(server.ask(0, script_reading("a")) == "21");
}

TEST_CASE("On a full disk the shard goes on reading, and writes again when there is room") {
  MemFs fs;
  Server server(with_parent(fs), {.retry_backoff = Duration{1}, .max_retry_backoff = Duration{1}});
  REQUIRE(server.ask(0, script_writing("a", "1")) == "");
  fs.set_free_bytes(0);
  for (int i = 0; i < 5; ++i) {
    const std::string answer = server.ask(0, script_writing("a", "2"));
    CHECK((answer == "!16" || answer == "!15"));
    CHECK(server.ask(0, script_reading("a", 0)) == "1");
  }
  fs.set_free_bytes(std::nullopt);
  while (server.ask(0, script_writing("a", "3")) != "") {
  }
  CHECK(server.ask(0, script_reading("a")) == "3");
}

TEST_CASE("Several parts are answered together, in their order") {
  MemFs fs;
  Server server(with_parent(fs));
  server.ask(0, script_writing("a", "zero"));
  server.ask(1, script_writing("a", "one"));
  const auto texts = [](const std::vector<ScriptResponse>& responses) {
    Texts result;
    for (const auto& response : responses) result.push_back(text_of(response));
    return result;
  };
  std::promise<Texts> scattered;
  std::promise<Texts> broadcast;
  std::promise<Texts> none;
  server.pool()[1].post([&] {
    std::vector<Router<ScriptFamily>::Part> parts;
    for (std::int32_t partition : {1, 0, 1}) parts.push_back({partition, script_reading("a")});
    server.router().scatter(std::move(parts), nullptr, [&](auto responses) { scattered.set_value(texts(responses)); });
    server.router().broadcast(script_reading("a"), [&](auto responses) { broadcast.set_value(texts(responses)); });
    server.router().scatter({}, nullptr, [&](auto responses) { none.set_value(texts(responses)); });
  });
  CHECK(scattered.get_future().get() == Texts{"one", "zero", "one"});
  CHECK(broadcast.get_future().get() == Texts{"zero", "one"});
  CHECK(none.get_future().get().empty());
}

TEST_CASE("A job runs on a worker and its result comes back as an input") {
  MemFs fs;
  Server server(with_parent(fs));
  Script with_job;
  with_job.jobs = {"sum"};
  server.ask(0, with_job);
  while (server.ask(0, script_reading("job")) != "sum done") {
  }
  // What the result wrote can be waited for like anything else.
  CHECK(server.ask(0, script_reading("job", 0)) == "sum done");
}

TEST_CASE("A timer of the coordinator fires") {
  MemFs fs;
  Server server(with_parent(fs));
  Script script;
  script.timers = {ScriptSetTimer{"t", reactor::read_clocks().mono}};
  server.ask(0, script);
  while (server.ask(0, script_reading("t")) != "fired") {
  }
}

TEST_CASE("A shard that goes away with open calls destroys them") {
  MemFs fs;
  with_parent(fs);
  auto alive = std::make_shared<int>(0);
  struct Poll final : ShardCall<ScriptFamily> {
    Poll(const Script& script, std::shared_ptr<int> a) : ShardCall(script), alive(std::move(a)) {}
    void complete(std::unique_ptr<ShardCall<ScriptFamily>>) override {}
    std::shared_ptr<int> alive;
  };
  {
    Server server(fs);
    server.ask(0, script_reading("a"));
    Script poll;
    poll.hold = true;
    server.pool()[0].post([&] { server.router().submit(0, std::make_unique<Poll>(poll, alive)); });
    server.ask(0, script_reading("a"));
    CHECK(alive.use_count() == 2);
  }
  CHECK(alive.use_count() == 1);
}

TEST_CASE("Random ids are random, of version 4, and none begins with a dash") {
  RandomIds ids;
  RandomIds others;
  std::set<protocol::Uuid> seen;
  for (int i = 0; i < 2'000; ++i) {
    for (RandomIds* source : {&ids, &others}) {
      const protocol::Uuid id = source->next_uuid();
      CHECK(seen.insert(id).second);
      CHECK((id.high() >> 12 & 0xF) == 4);
      CHECK(id.low() >> 62 == 2);
      CHECK(id.to_string().front() != '-');
    }
  }
}

}  // namespace
}  // namespace cohort::runtime
