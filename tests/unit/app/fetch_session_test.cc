// Fetch sessions as a client sees them.
#include <catch2/catch.hpp>

#include "protocol/messages/fetch_request.h"
#include "protocol/messages/fetch_response.h"
#include "tests/unit/app/machine.h"

namespace cohort::app {
namespace {

using protocol::FetchRequest;
using protocol::FetchResponse;
using protocol::Uuid;
using Strings = std::vector<std::string>;

constexpr std::int16_t kNames = 12;
constexpr std::int16_t kIds = 18;
constexpr std::int32_t kForever = 3'600'000;

// A consumer with a session, by names or by ids.
struct Session {
  Client& client;
  std::int16_t version;
  FetchRequest next = {};

  Session(Client& connection, std::int16_t with_version) : client(connection), version(with_version) {
    next.max_bytes = 1 << 20;
    next.session_epoch = 0;
  }
  Session& want(const std::string& name, const Uuid& id, std::int32_t partition, std::int64_t offset) {
    auto& topic = next.topics.emplace_back();
    if (version <= kNames) topic.topic = name;
    if (version > kNames) topic.topic_id = id;
    auto& one = topic.partitions.emplace_back();
    one.partition = partition;
    one.fetch_offset = offset;
    one.partition_max_bytes = 1 << 20;
    return *this;
  }
  Session& forget(const std::string& name, const Uuid& id, std::int32_t partition) {
    auto& topic = next.forgotten_topics_data.emplace_back();
    if (version <= kNames) topic.topic = name;
    if (version > kNames) topic.topic_id = id;
    topic.partitions.push_back(partition);
    return *this;
  }
  // Sends what was gathered and goes on with what the answer says.
  FetchResponse ask() {
    auto response = client.ask<FetchResponse>(next, version);
    next.topics.clear();
    next.forgotten_topics_data.clear();
    if (response.error_code == to_wire(ErrorCode::kNone)) {
      next.session_id = response.session_id;
      ++next.session_epoch;
    }
    return response;
  }
};

// "0: 2 records" of all partitions in the answer, or the error of one.
Strings told(const FetchResponse& response) {
  CHECK(response.error_code == to_wire(ErrorCode::kNone));
  Strings out;
  for (const auto& topic : response.responses) {
    for (const auto& partition : topic.partitions) {
      const auto error = static_cast<ErrorCode>(partition.error_code);
      const bool has_records = partition.records && partition.records->size() > 0;
      out.push_back(fmt::format("{}: {}", partition.partition_index,
                                error != ErrorCode::kNone ? fmt::format("error {}", partition.error_code)
                                : has_records             ? "records"
                                                          : fmt::format("up to {}", partition.high_watermark)));
    }
  }
  return out;
}

ErrorCode refusal(const FetchResponse& response) {
  CHECK(response.responses.empty());
  return static_cast<ErrorCode>(response.error_code);
}

TEST_CASE("In a fetch session requests name what changes and answers have what is new") {
  for (const std::int16_t version : {std::int16_t{7}, kNames, std::int16_t{13}, kIds}) {
    INFO(version);
    storage::MemFs fs;
    Machine machine(fs);
    Client client(machine);
    const Uuid id = create_topic(client, "t", 3);
    Session session(client, version);
    for (std::int32_t p = 0; p < 3; ++p) session.want("t", id, p, 0);
    CHECK(told(session.ask()) == Strings{"0: up to 0", "1: up to 0", "2: up to 0"});
    const std::int32_t session_id = session.next.session_id;
    CHECK(session_id > 0);
    CHECK(told(session.ask()).empty());
    // The partitions that were not named again are read, too.
    REQUIRE(produce(client, "t", 1, batch_of(2)) == ErrorCode::kNone);
    const auto news = session.ask();
    CHECK(told(news) == Strings{"1: records"});
    CHECK(news.session_id == session_id);
    CHECK(news.responses.at(0).topic == (version <= kNames ? "t" : ""));
    CHECK(news.responses.at(0).topic_id == (version <= kNames ? Uuid() : id));
    // It has them now; the partition stands at the end.
    CHECK(told(session.want("t", id, 1, 2).ask()).empty());
    for (std::int32_t p = 0; p < 3; ++p) REQUIRE(produce(client, "t", p, batch_of(1)) == ErrorCode::kNone);
    CHECK(told(session.ask()) == Strings{"0: records", "2: records", "1: records"});
    // Forgotten, and asked for anew.
    session.want("t", id, 0, 1).want("t", id, 1, 3).forget("t", id, 2);
    CHECK(told(session.ask()).empty());
    CHECK(told(session.want("t", id, 2, 0).ask()) == Strings{"2: records"});
  }
}

TEST_CASE("A fetch session is gone, out of step, or names topics the other way") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  const Uuid id = create_topic(client, "t");
  Session session(client, kNames);
  session.want("t", id, 0, 0).ask();
  const FetchRequest good = session.next;
  // The same epoch twice; what is refused does not count.
  CHECK(told(session.ask()).empty());
  CHECK(refusal(client.ask<FetchResponse>(good, kNames)) == ErrorCode::kInvalidFetchSessionEpoch);
  FetchRequest other = session.next;
  ++other.session_epoch;
  CHECK(refusal(client.ask<FetchResponse>(other, kNames)) == ErrorCode::kInvalidFetchSessionEpoch);
  CHECK(refusal(client.ask<FetchResponse>(session.next, kIds)) == ErrorCode::kFetchSessionTopicIdError);
  CHECK(told(session.ask()).empty());
  other.session_id = 0;
  CHECK(refusal(client.ask<FetchResponse>(other, kNames)) == ErrorCode::kFetchSessionIdNotFound);
  other.session_id = -7;
  other.session_epoch = -2;
  CHECK(refusal(client.ask<FetchResponse>(other, kNames)) == ErrorCode::kFetchSessionIdNotFound);
  // Epoch -1 is a full request that closes it.
  FetchRequest last = session.next;
  last.session_epoch = -1;
  const auto closed = client.ask<FetchResponse>(last, kNames);
  CHECK(told(closed).empty());
  CHECK(closed.session_id == 0);
  CHECK(refusal(session.ask()) == ErrorCode::kFetchSessionIdNotFound);
}

TEST_CASE("A fetch session that a client opens takes the place of the one it names") {
  storage::MemFs fs;
  Machine machine(fs, {"cohort.reactors=1"});
  Client client(machine);
  const Uuid id = create_topic(client, "t");
  Session session(client, kIds);
  session.want("t", id, 0, 0).ask();
  FetchRequest old = session.next;
  session.next.session_epoch = 0;
  CHECK(told(session.want("t", id, 0, 0).ask()) == Strings{"0: up to 0"});
  CHECK(session.next.session_id != old.session_id);
  CHECK(refusal(client.ask<FetchResponse>(old, kIds)) == ErrorCode::kFetchSessionIdNotFound);
  CHECK(told(session.ask()).empty());
  // It lives as long as it is used, not as long as a connection.
  Client second(machine);
  CHECK(told(second.ask<FetchResponse>(session.next, kIds)).empty());
}

TEST_CASE("A fetch session whose last partition is forgotten ends") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  const Uuid id = create_topic(client, "t");
  Session session(client, kIds);
  session.want("t", id, 0, 0).ask();
  const std::int32_t old = session.next.session_id;
  session.forget("t", id, 0);
  const auto ended = session.ask();
  CHECK(told(ended).empty());
  CHECK(ended.session_id == 0);
  session.next.session_id = old;
  CHECK(refusal(session.ask()) == ErrorCode::kFetchSessionIdNotFound);
}

TEST_CASE("In a fetch session topics may come, go and come again") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  const Uuid id = create_topic(client, "t");
  const Uuid other = create_topic(client, "u");
  Session ids(client, kIds);
  Session names(client, kNames);
  const Strings unknown_id = {"0: error 100"};
  const Strings unknown = {"0: error 3"};
  const Strings inconsistent = {"0: error 103"};
  CHECK(told(ids.want("u", other, 0, 0).want("", Uuid(5, 6), 0, 0).ask()) == Strings{"0: up to 0", "0: error 100"});
  CHECK(told(ids.ask()) == unknown_id);
  CHECK(told(ids.forget("", Uuid(5, 6), 0).want("t", id, 0, 0).ask()) == Strings{"0: up to 0"});
  CHECK(told(names.want("u", other, 0, 0).want("t", id, 0, 0).want("u", other, 7, 0).ask()) ==
        Strings{"0: up to 0", "0: up to 0", "7: error 3"});
  names.forget("u", other, 7).ask();
  // An id that was known is looked for by its name, as in Kafka.
  delete_topic(client, "t");
  CHECK(told(ids.ask()) == unknown);
  CHECK(told(ids.ask()) == unknown);
  CHECK(told(names.ask()) == unknown);
  const Uuid again = create_topic(client, "t");
  CHECK(told(names.ask()) == Strings{"0: up to 0"});
  ids.next.min_bytes = 1;
  ids.next.max_wait_ms = kForever;
  CHECK(told(ids.ask()) == inconsistent);
  ids.next.max_wait_ms = 0;
  CHECK(told(ids.forget("t", id, 0).want("t", again, 0, 0).ask()) == Strings{"0: up to 0"});
}

TEST_CASE("An empty answer in a fetch session waits for min_bytes like any other") {
  storage::MemFs fs;
  Machine machine(fs);
  Client reader(machine);
  Client writer(machine);
  const Uuid id = create_topic(writer, "t", 2);
  Session session(reader, kIds);
  session.want("t", id, 0, 0).want("t", id, 1, 0).ask();
  session.next.min_bytes = 1;
  session.next.max_wait_ms = kForever;
  for (std::int64_t round = 0; round < 20; ++round) {
    reader.send(session.next, kIds);
    REQUIRE(produce(writer, "t", round % 2, batch_of(1)) == ErrorCode::kNone);
    CHECK(told(reader.receive<FetchResponse>(kIds)) == Strings{fmt::format("{}: records", round % 2)});
    ++session.next.session_epoch;
    session.next.topics.clear();
    session.want("t", id, static_cast<std::int32_t>(round % 2), round / 2 + 1);
  }
}

TEST_CASE("A fetch that somebody else overtook in its session is told so") {
  storage::MemFs fs;
  Machine machine(fs, {"cohort.reactors=1"});
  Client first(machine);
  Client second(machine);
  const Uuid id = create_topic(first, "t");
  Session session(first, kIds);
  session.want("t", id, 0, 0).ask();
  session.next.min_bytes = 1;
  session.next.max_wait_ms = kForever;
  first.send(session.next, kIds);
  // Asks until the first fetch is there: before that, its epoch is one too far.
  FetchRequest overtaking = session.next;
  overtaking.max_wait_ms = 0;
  ++overtaking.session_epoch;
  auto response = second.ask<FetchResponse>(overtaking, kIds);
  while (response.error_code == to_wire(ErrorCode::kInvalidFetchSessionEpoch)) {
    response = second.ask<FetchResponse>(overtaking, kIds);
  }
  CHECK(told(response).empty());
  REQUIRE(produce(second, "t", 0, batch_of(1)) == ErrorCode::kNone);
  const auto overtaken = first.receive<FetchResponse>(kIds);
  CHECK(refusal(overtaken) == ErrorCode::kInvalidFetchSessionEpoch);
  CHECK(overtaken.session_id == session.next.session_id);
}

TEST_CASE("Without room there are no fetch sessions, and clients go on with full requests") {
  storage::MemFs fs;
  Machine machine(fs, {"cohort.reactors=1", "max.incremental.fetch.session.cache.slots=1"});
  Client client(machine);
  const Uuid id = create_topic(client, "t", 300);
  Session large(client, kIds);
  for (std::int32_t p = 0; p < 257; ++p) large.want("t", id, p, 0);
  const FetchRequest full = large.next;
  CHECK(large.ask().session_id == 0);
  Session session(client, kIds);
  CHECK(session.want("t", id, 0, 0).ask().session_id != 0);
  // Another one finds the slot taken.
  Session late(client, kIds);
  CHECK(late.want("t", id, 0, 0).ask().session_id == 0);
  // One that grows over the limit is answered and ends.
  for (std::int32_t p = 1; p < 257; ++p) session.want("t", id, p, 0);
  const auto ended = session.ask();
  CHECK(told(ended).size() == 256);
  CHECK(ended.session_id == 0);
  CHECK(late.want("t", id, 0, 0).ask().error_code == to_wire(ErrorCode::kFetchSessionIdNotFound));
}

TEST_CASE("Fetch sessions can be switched off") {
  storage::MemFs fs;
  Machine machine(fs, {"max.incremental.fetch.session.cache.slots=0"});
  Client client(machine);
  const Uuid id = create_topic(client, "t");
  Session session(client, kIds);
  CHECK(told(session.want("t", id, 0, 0).ask()) == Strings{"0: up to 0"});
  CHECK(session.next.session_id == 0);
}

}  // namespace
}  // namespace cohort::app
