// Loading, failing, incarnations, timers, jobs, stopping.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "server/runtime/shard_core_impl.h"
#include "tests/unit/runtime/scripted_family.h"

namespace cohort::runtime {
namespace {

using namespace test;
using Texts = std::vector<std::string>;

Script script_with_timer(std::string key, std::int64_t at_ms) {
  Script script;
  script.timers = {ScriptSetTimer{std::move(key), MonoTime(Duration(at_ms))}};
  return script;
}

TEST_CASE("While it loads, requests are told so; then the state is there and on_loaded runs once, with the metadata") {
  Harness shard({.load_slice_records = 2});
  shard.start();
  for (std::uint64_t i = 0; i < 5; ++i) shard.write(i, std::to_string(i), "x"), shard.flush();
  shard.answered(), shard.take_events();

  shard.make();
  shard.request(1, script_reading("0"));
  shard.core->start(shard.effects);
  shard.request(2, script_reading("0"));
  CHECK(shard.core->state() == ShardState::kLoading);
  REQUIRE(shard.effects.read.has_value());
  CHECK(shard.effects.read->offset == 0);
  shard.core->loaded(shard.effects.read->incarnation, shard.chunk(0, 5));
  shard.effects.read.reset();
  // Five records in slices of two; requests and new metadata may come between them.
  for (int slice = 0; slice < 2; ++slice) {
    shard.core->load_slice(shard.now, shard.effects);
    CHECK(shard.core->wants_slice());
    shard.request(3, script_writing("0", "y"));
  }
  shard.core->metadata_changed(std::make_shared<coordinator::MetadataView>(7, Harness::Topics{}), shard.now,
                               shard.effects);
  CHECK(shard.take_events().empty());
  shard.load();
  CHECK(shard.answered() == Texts{"1!14", "2!14", "3!14", "3!14"});
  CHECK(shard.take_events() == Texts{"loaded with metadata 7"});
  CHECK(shard.core->state() == ShardState::kActive);
  shard.request(4, script_reading("0"));
  CHECK(shard.answered() == Texts{"4:x"});
}

TEST_CASE("An empty log is loaded at once, and what on_loaded writes becomes durable like anything else") {
  Harness shard;
  shard.config.on_loaded = [] { return script_writing("swept", "1"); };
  shard.start();
  CHECK(shard.core->state() == ShardState::kActive);
  shard.request(1, script_reading("swept", 0));
  CHECK(shard.answered().empty());
  shard.flush();
  CHECK(shard.answered() == Texts{"1:1"});
}

TEST_CASE("After a failed write everybody who waits is refused and the state is what the log holds") {
  Harness shard;
  shard.start();
  shard.write(1, "a", "1");
  shard.flush();
  shard.answered();
  shard.write(2, "a", "2");
  REQUIRE(shard.begin_write());
  shard.write(3, "b", "3");
  shard.request(4, script_reading("a", 1));
  Script poll;
  poll.hold = true;
  shard.request(5, poll);
  shard.failed();
  CHECK(shard.answered() == Texts{"2!16", "3!16", "4!16", "5!16"});
  CHECK(shard.core->state() == ShardState::kLoading);
  CHECK_FALSE(shard.begin_write());
  shard.request(6, script_reading("a"));
  shard.load();
  CHECK(shard.answered() == Texts{"6!14"});
  CHECK(shard.values() == ScriptCoordinator::Values{{"a", {"1", 0}}});
  // The lost offsets are used again.
  shard.write(7, "c", "7");
  shard.flush();
  CHECK(shard.answered() == Texts{"7:"});
  CHECK(shard.values().at("c").second == 1);
}

TEST_CASE("A result of a write of a former incarnation says nothing about the present one") {
  Harness shard;
  shard.start();
  shard.write(1, "a", "1");
  REQUIRE(shard.begin_write());
  const std::uint64_t former = shard.in_flight->incarnation;
  shard.failed();
  shard.load();
  shard.answered();

  shard.write(2, "a", "2");  // the same offset as before
  REQUIRE(shard.begin_write());
  CHECK(shard.in_flight->incarnation != former);
  shard.core->written(former, shard.effects);
  shard.core->write_failed(former, Error{.kind = ErrorKind::kIo, .message = "late"}, shard.effects);
  CHECK(shard.answered().empty());
  CHECK(shard.core->durable_end() == 0);
  CHECK(shard.core->state() == ShardState::kActive);
  CHECK(shard.core->stats().stale_inputs == 2);
  shard.durable();
  CHECK(shard.answered() == Texts{"2:"});
  // Nor does a result that comes twice.
  shard.write(3, "b", "3");
  shard.core->written(shard.core->incarnation(), shard.effects);
  CHECK(shard.answered().empty());
  CHECK(shard.core->stats().stale_inputs == 3);
}

TEST_CASE("Chunks and jobs of a former incarnation are dropped and counted") {
  Harness shard;
  shard.start();
  Script with_job;
  with_job.jobs = {"sum"};
  shard.request(1, with_job);
  REQUIRE(shard.effects.jobs.size() == 1);
  const auto job = shard.effects.jobs[0];
  shard.write(2, "a", "1");
  REQUIRE(shard.begin_write());
  const LogChunk late = shard.chunk(0);
  shard.failed();
  shard.core->loaded(job.incarnation, late);
  CHECK_FALSE(shard.core->wants_slice());
  shard.core->load_failed(job.incarnation, Error{.kind = ErrorKind::kIo, .message = "late"}, shard.now);
  shard.load();
  CHECK(shard.core->state() == ShardState::kActive);
  shard.take_events();
  shard.core->job_done(job.incarnation, "3", shard.now, shard.effects);
  CHECK(shard.take_events().empty());
  CHECK(shard.values().empty());
  CHECK(shard.core->stats().stale_inputs == 3);

  shard.core->job_done(shard.core->incarnation(), "4", shard.now, shard.effects);
  CHECK(shard.take_events() == Texts{"job 4"});
  CHECK(shard.values().at("job").first == "4");
}

TEST_CASE("From the second failure in a row the shard only reads for a while; then the next write is the probe") {
  Harness shard({.retry_backoff = Duration{1'000}, .max_retry_backoff = Duration{3'000}});
  shard.config.on_loaded = [] { return script_with_timer("session", 10); };
  shard.config.on_timer = [](const std::string&) { return Script{}; };
  shard.start();
  shard.write(1, "a", "1");
  shard.flush();
  for (int i = 0; i < 2; ++i) {
    CHECK(shard.core->state() == ShardState::kActive);
    shard.write(2, "b", "2");
    REQUIRE(shard.begin_write());
    shard.failed();
    shard.load();
  }
  shard.answered(), shard.take_events();
  CHECK(shard.core->state() == ShardState::kReadOnly);
  CHECK(shard.core->next_deadline() == MonoTime(Duration{1'000}));
  shard.request(3, script_reading("a", 0));
  shard.write(4, "b", "2");
  CHECK(shard.answered() == Texts{"3:1", "4!15"});
  CHECK(shard.take_events() == Texts{"refused 1"});
  CHECK(shard.values().count("b") == 0);
  shard.tick_at(999);  // no timer runs before the shard may write
  CHECK(shard.take_events().empty());

  shard.tick_at(1'000);
  CHECK(shard.core->state() == ShardState::kActive);
  CHECK(shard.take_events() == Texts{"timer session at 1000"});
  SECTION("which fails again: a longer pause, up to the maximum") {
    for (const std::int64_t pause : {2'000, 3'000, 3'000}) {
      shard.write(5, "b", "2");
      REQUIRE(shard.begin_write());
      shard.failed();
      shard.load();
      CHECK(shard.core->state() == ShardState::kReadOnly);
      CHECK(shard.core->next_deadline() == shard.now.mono + Duration(pause));
      shard.tick_at((shard.now.mono + Duration(pause)).time_since_epoch().count());
    }
  }
  SECTION("which succeeds: the failures are forgotten") {
    shard.write(5, "b", "2");
    shard.flush();
    shard.write(6, "c", "3");
    REQUIRE(shard.begin_write());
    shard.failed();
    shard.load();
    CHECK(shard.core->state() == ShardState::kActive);
    CHECK(shard.values().size() == 2);
  }
}

TEST_CASE("What on_loaded wants to write while the shard only reads is written when it may") {
  Harness shard;
  shard.config.on_loaded = [] { return script_writing("swept", "1"); };
  shard.start();
  for (int i = 0; i < 2; ++i) {
    REQUIRE(shard.begin_write());
    shard.failed();
    shard.load();
  }
  CHECK(shard.core->state() == ShardState::kReadOnly);
  CHECK_FALSE(shard.begin_write());
  shard.request(1, script_reading("swept", 0));
  CHECK(shard.answered().empty());
  shard.tick_at(1'000);
  shard.flush();
  CHECK(shard.answered() == Texts{"1:1"});
}

TEST_CASE("A damaged log fails the shard for good, an unreadable one until the disk is well") {
  Harness shard;
  shard.start();
  shard.write(1, "a", "1"), shard.flush(), shard.answered();
  shard.make();
  shard.core->start(shard.effects);
  const std::uint64_t incarnation = shard.effects.read->incarnation;
  shard.effects.read.reset();

  SECTION("unreadable") {
    shard.core->load_failed(incarnation, Error{.kind = ErrorKind::kIo, .message = "no disk"}, shard.now);
    CHECK(shard.core->state() == ShardState::kFailed);
    shard.request(2, script_reading("a"));
    CHECK(shard.answered() == Texts{"2!16"});
    REQUIRE(shard.core->next_deadline() == MonoTime(Duration{1'000}));
    shard.tick_at(1'000);
    shard.load();
    CHECK(shard.core->state() == ShardState::kActive);
    CHECK(shard.values().size() == 1);
  }
  SECTION("a batch with a wrong checksum") {
    LogChunk chunk = shard.chunk(0);
    std::vector<std::byte> bytes(chunk.batches.view().begin(), chunk.batches.view().end());
    bytes.back() ^= std::byte{1};
    chunk.batches = protocol::Bytes::copy_of(bytes);
    shard.core->loaded(incarnation, std::move(chunk));
    shard.core->load_slice(shard.now, shard.effects);
    CHECK(shard.core->state() == ShardState::kFailed);
    CHECK_FALSE(shard.core->next_deadline().has_value());
    CHECK_FALSE(shard.core->wants_slice());
  }
}

TEST_CASE("A record that cannot be applied fails the shard; one of an unknown type is skipped and counted") {
  Harness shard;
  shard.start();
  shard.write(1, "?new", "1");
  shard.write(2, "a", "2");
  shard.flush();
  shard.start();
  CHECK(shard.core->state() == ShardState::kActive);
  CHECK(shard.values() == ScriptCoordinator::Values{{"a", {"2", 1}}});
  CHECK(shard.core->stats().unknown_records == 1);

  // A log that another program wrote.
  PendingBatches<int> batches(1'000);
  batches.reset(shard.durable_end);
  batches.make_room(100);
  const std::string key = "!bad";
  batches.append(0, std::as_bytes(std::span(key)), std::nullopt);
  auto bad = batches.take();
  const auto bytes = bad->bytes.view();
  shard.log.push_back({2, 3, {bytes.begin(), bytes.end()}});
  shard.durable_end = 3;
  shard.start();
  CHECK(shard.core->state() == ShardState::kFailed);
  shard.request(3, script_reading("a"));
  CHECK(shard.answered() == Texts{"1:", "2:", "3!16"});
}

TEST_CASE("Timers fire in order of their deadlines; setting replaces, cancelling removes") {
  Harness shard({.timers_per_turn = 2});
  shard.config.on_timer = [](const std::string& key) {
    return key == "again" ? script_with_timer("again", 100) : script_writing(key, "fired");
  };
  shard.start();
  Script script;
  const auto at = [](std::int64_t ms) { return MonoTime(Duration(ms)); };
  script.timers = {ScriptSetTimer{"c", at(30)},    ScriptSetTimer{"a", at(10)},   ScriptSetTimer{"b", at(90)},
                   ScriptSetTimer{"b", at(10)},    ScriptSetTimer{"d", at(20)},   ScriptCancelTimer{"d"},
                   ScriptCancelTimer{"never set"}, ScriptSetTimer{"again", at(5)}};
  shard.request(1, script);
  shard.take_events();
  CHECK(shard.core->next_deadline() == at(5));
  shard.tick_at(4);
  CHECK(shard.take_events().empty());
  shard.tick_at(40);  // a turn fires two; the deadline of the next one is over already
  CHECK(shard.take_events() == Texts{"timer again at 40", "timer a at 40"});
  CHECK(shard.core->next_deadline() == at(10));
  shard.tick_at(40);
  CHECK(shard.take_events() == Texts{"timer b at 40", "timer c at 40"});
  CHECK(shard.core->next_deadline() == at(100));
  CHECK(shard.values().count("b") == 1);
}

TEST_CASE("A timer whose records no batch can hold comes again later") {
  Harness shard({.max_batch_bytes = 200, .retry_backoff = Duration{500}});
  shard.config.on_timer = [](const std::string& key) { return script_writing(key, std::string(300, 'x')); };
  shard.start();
  shard.request(1, script_with_timer("t", 10));
  shard.tick_at(10);
  CHECK(shard.values().empty());
  CHECK(shard.core->next_deadline() == MonoTime(Duration{510}));
}

TEST_CASE("A refused step cancels no timer") {
  Harness shard({.max_batch_bytes = 600});
  shard.config.on_timer = [](const std::string&) { return Script{}; };
  shard.start();
  shard.request(1, script_with_timer("session", 10));
  Script leave;
  leave.write = {{"member", std::string(700, 'x')}};
  leave.timers = {ScriptCancelTimer{"session"}};
  shard.request(2, leave);
  shard.take_events();
  shard.tick_at(10);
  CHECK(shard.take_events() == Texts{"timer session at 10"});
}

TEST_CASE("A failed shard has no timers; the ones of before do not come back") {
  Harness shard;
  shard.start();
  shard.request(1, script_with_timer("old", 10));
  shard.write(2, "a", "1");
  REQUIRE(shard.begin_write());
  shard.failed();
  CHECK_FALSE(shard.core->next_deadline().has_value());
  shard.load();
  CHECK_FALSE(shard.core->next_deadline().has_value());
  shard.take_events();
  shard.tick_at(1'000);
  CHECK(shard.take_events().empty());
}

TEST_CASE("Stopping refuses what is new or undecided and finishes what is written") {
  Harness shard;
  shard.start();
  shard.write(1, "a", "1");
  REQUIRE(shard.begin_write());
  shard.write(2, "b", "2");
  Script poll;
  poll.hold = true;
  shard.request(3, poll);
  shard.core->stop(shard.effects);
  shard.request(4, script_reading("a"));
  CHECK(shard.answered() == Texts{"3!16", "4!16"});
  CHECK_FALSE(shard.core->is_drained());
  SECTION("the disk is well") {
    shard.durable();
    CHECK_FALSE(shard.core->is_drained());
    shard.flush();
    CHECK(shard.answered() == Texts{"1:", "2:"});
  }
  SECTION("the disk is not") {
    shard.failed();
    CHECK(shard.answered() == Texts{"1!16", "2!16"});
  }
  CHECK(shard.core->is_drained());
  CHECK_FALSE(shard.effects.read.has_value());
}

TEST_CASE("A shard that still loads stops at once") {
  Harness shard;
  shard.make();
  shard.core->start(shard.effects);
  const ShardRead read = *shard.effects.read;
  shard.core->stop(shard.effects);
  CHECK(shard.core->is_drained());
  shard.core->loaded(read.incarnation, shard.chunk(0));
  CHECK_FALSE(shard.core->wants_slice());
}

}  // namespace
}  // namespace cohort::runtime
