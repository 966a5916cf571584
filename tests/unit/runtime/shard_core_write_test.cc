// Steps, batches and who waits for which record.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "protocol/batch/record.h"
#include "server/runtime/shard_core_impl.h"
#include "tests/unit/runtime/scripted_family.h"

namespace cohort::runtime {
namespace {

using namespace test;
using Texts = std::vector<std::string>;

// The keys of a batch with their offsets, read back from its bytes.
std::vector<std::pair<std::int64_t, std::string>> keys_of(const ShardWrite& write) {
  std::vector<std::pair<std::int64_t, std::string>> keys;
  protocol::ByteBuffer scratch;
  const auto batch = protocol::parse_batch(write.batch.view());
  REQUIRE(batch.has_value());
  const auto read = protocol::for_each_record(*batch, 1 << 20, scratch, [&](const protocol::RecordView& record) {
    keys.emplace_back(record.offset,
                      std::string(reinterpret_cast<const char*>(record.key->data()), record.key->size()));
  });
  REQUIRE(read.has_value());
  return keys;
}

TEST_CASE("A reply that rests on its step's record leaves when that record is durable, not earlier") {
  Harness shard;
  shard.start();
  shard.write(1, "a", "1");
  CHECK(shard.answered().empty());
  REQUIRE(shard.begin_write());
  CHECK(shard.answered().empty());
  shard.durable();
  CHECK(shard.answered() == Texts{"1:"});
  CHECK(shard.core->durable_end() == 1);
}

TEST_CASE("A record is applied at once: the next request sees it, and waits for it if it rests on it") {
  Harness shard;
  shard.start();
  shard.write(1, "a", "1");
  shard.request(2, script_reading("a", 0));
  CHECK(shard.answered().empty());
  shard.flush();
  CHECK(shard.answered() == Texts{"1:", "2:1"});
}

TEST_CASE("A reply that rests on durable records, or on nothing, does not wait for what others write") {
  Harness shard;
  shard.start();
  shard.write(1, "mine", "1");
  shard.flush();
  CHECK(shard.answered() == Texts{"1:"});

  shard.write(2, "other", "2");
  shard.request(3, script_reading("mine", 0));
  CHECK(shard.answered() == Texts{"3:1"});
  REQUIRE(shard.begin_write());
  shard.request(4, script_reading("mine", 0));
  shard.request(5, script_reading("nothing"));
  CHECK(shard.answered() == Texts{"4:1", "5:"});
  shard.request(6, script_reading("other", 1));
  CHECK(shard.answered().empty());
  shard.durable();
  CHECK(shard.answered() == Texts{"2:", "6:2"});
  CHECK(shard.core->stats().replies_at_once == 3);
}

TEST_CASE("One batch is written at a time; what comes meanwhile makes the next one") {
  Harness shard;
  shard.start();
  CHECK_FALSE(shard.begin_write());
  shard.write(1, "a", "1");
  REQUIRE(shard.begin_write());
  CHECK(shard.in_flight->base_offset == 0);
  CHECK(shard.in_flight->end_offset == 1);
  shard.write(2, "b", "2");
  shard.write(3, "c", "3");
  shard.request(4, script_reading("a", 0));
  CHECK_FALSE(shard.core->take_write().has_value());

  shard.durable();
  CHECK(shard.answered() == Texts{"1:", "4:1"});
  REQUIRE(shard.begin_write());
  CHECK(keys_of(*shard.in_flight) == std::vector<std::pair<std::int64_t, std::string>>{{1, "b"}, {2, "c"}});
  shard.durable();
  CHECK(shard.answered() == Texts{"2:", "3:"});
  CHECK_FALSE(shard.begin_write());
  CHECK(shard.core->stats().batches_written == 2);
  CHECK(shard.core->stats().records_written == 3);
}

TEST_CASE("A reply may rest on any of the batches that wait") {
  Harness shard({.max_batch_bytes = 250, .max_waiting_bytes = 10'000});
  shard.start();
  for (std::uint64_t i = 0; i < 6; ++i) shard.write(10 + i, std::to_string(i), std::string(100, 'x'));
  REQUIRE(shard.begin_write());
  for (std::int64_t i = 5; i >= 0; --i) shard.request(static_cast<std::uint64_t>(i), script_reading("?", i));
  CHECK(shard.answered().empty());
  shard.durable();
  CHECK(shard.answered() == Texts{"10:", "0:"});
  shard.flush();
  CHECK(shard.answered() == Texts{"11:", "1:", "12:", "2:", "13:", "3:", "14:", "4:", "15:", "5:"});
}

TEST_CASE("The records of one step stand in one batch, also when they must wait for the next one") {
  Harness shard({.max_batch_bytes = 600});
  shard.start();
  shard.write(1, "a", std::string(300, 'x'));
  Script two;
  two.write = {{"b", std::string(100, 'x')}, {"c", std::string(100, 'x')}};
  shard.request(2, two);
  REQUIRE(shard.begin_write());
  CHECK(keys_of(*shard.in_flight) == std::vector<std::pair<std::int64_t, std::string>>{{0, "a"}});
  shard.durable();
  REQUIRE(shard.begin_write());
  CHECK(keys_of(*shard.in_flight) == std::vector<std::pair<std::int64_t, std::string>>{{1, "b"}, {2, "c"}});
  CHECK(shard.in_flight->batch.size() <= 600);
}

TEST_CASE("A step that no batch can hold is refused before any of it is applied; the others go on") {
  Harness shard({.max_batch_bytes = 600});
  shard.start();
  shard.write(1, "a", "1");
  Script large;
  large.write = {{"b", std::string(300, 'x')}, {"c", std::string(300, 'x')}};
  shard.request(2, large);
  CHECK(shard.answered() == Texts{"2!-1"});
  shard.write(3, "d", "3");
  shard.flush();
  CHECK(shard.answered() == Texts{"1:", "3:"});
  CHECK(shard.values() == ScriptCoordinator::Values{{"a", {"1", 0}}, {"d", {"3", 1}}});
}

TEST_CASE("A refused step is taken back: the coordinator is told, and answers who waited for it") {
  Harness shard({.max_batch_bytes = 600});
  shard.start();
  shard.take_events();
  Script poll;
  poll.hold = true;
  shard.request(1, poll);
  Script large;
  large.hold = true;
  large.write = {{"b", std::string(600, 'x')}};
  shard.request(2, large);
  CHECK(shard.answered() == Texts{"1!-1", "2!-1"});
  CHECK(shard.take_events() == Texts{"refused 1"});
}

TEST_CASE("A record that cannot be encoded is refused like one that is too large") {
  Harness shard;
  shard.start();
  Script bad;
  bad.write = {{"a", "1"}, {"/bad", "2"}};
  shard.request(1, bad);
  CHECK(shard.answered() == Texts{"1!-1"});
  CHECK(shard.values().empty());
  CHECK_FALSE(shard.begin_write());
}

TEST_CASE("A sweep is cut into as many batches as it needs") {
  Harness shard({.max_batch_bytes = 600});
  shard.config.on_metadata = [] {
    Script sweep;
    for (char key = 'a'; key < 'j'; ++key) sweep.write.push_back({std::string(1, key), std::string(100, 'x')});
    return sweep;
  };
  shard.start();
  shard.core->metadata_changed(std::make_shared<coordinator::MetadataView>(2, Harness::Topics{}), shard.now,
                               shard.effects);
  CHECK(shard.values().size() == 9);
  shard.request(1, script_reading("j", 8));
  shard.flush();
  CHECK(shard.answered() == Texts{"1:"});
  CHECK(shard.log.size() == 3);
  CHECK(shard.durable_end == 9);
}

TEST_CASE("Over the bound of waiting bytes only requests that write are refused") {
  Harness shard({.max_batch_bytes = 600, .max_waiting_bytes = 1'000});
  shard.start();
  for (std::uint64_t i = 0; i < 6; ++i) shard.write(i, std::to_string(i), std::string(300, 'x'));
  CHECK(shard.answered() == Texts{"2!15", "3!15", "4!15", "5!15"});
  shard.request(7, script_reading("2"));
  CHECK(shard.answered() == Texts{"7:"});
  shard.flush();
  CHECK(shard.answered() == Texts{"0:", "1:"});
  shard.write(8, "8", "x");
  shard.flush();
  CHECK(shard.answered() == Texts{"8:"});
}

TEST_CASE("Over the bound of open requests all are refused, until one is answered") {
  Harness shard({.max_open_requests = 2});
  shard.start();
  shard.write(1, "a", "1");
  Script poll;
  poll.hold = true;
  shard.request(2, poll);
  shard.request(3, script_reading("a"));
  CHECK(shard.answered() == Texts{"3!15"});
  shard.flush();
  CHECK(shard.answered() == Texts{"1:"});
  Script wake = script_writing("b", "2");
  wake.answer_held = true;
  shard.request(4, wake);
  CHECK(shard.answered().empty());  // the long poll rests on the records of the step that answers it
  shard.flush();
  CHECK(shard.answered() == Texts{"2:held", "4:"});
}

TEST_CASE("Replay of what was written gives the same state, record for record") {
  Harness shard({.load_slice_records = 3});
  shard.start();
  for (std::uint64_t i = 0; i < 50; ++i) {
    shard.write(i, std::to_string(i % 20), std::to_string(i));
    if (i % 7 == 0) shard.flush();
    if (i % 11 == 3) {
      Script tombstone;
      tombstone.write = {{std::to_string(i % 20), std::nullopt}};
      shard.request(1000 + i, tombstone);
    }
  }
  shard.flush();
  const auto before = shard.values();
  REQUIRE(before.size() > 10);
  shard.start();
  CHECK(shard.values() == before);
  CHECK(shard.core->stats().records_loaded == static_cast<std::uint64_t>(shard.durable_end));
  CHECK(shard.core->durable_end() == shard.durable_end);
  // And the log goes on where it ended.
  shard.write(1, "next", "1");
  CHECK(shard.values().at("next").second == shard.durable_end);
}

}  // namespace
}  // namespace cohort::runtime
