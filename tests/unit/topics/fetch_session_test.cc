#include "server/topics/fetch_session.h"

#include <catch2/catch.hpp>
#include <limits>
#include <string>
#include <vector>

#include "server/topics/fetch_session_cache.h"

namespace cohort::topics {
namespace {

using protocol::ErrorCode;
using protocol::Text;
using protocol::Uuid;
using Strings = std::vector<std::string>;

FetchTopic topic(const std::string& name) {
  return {.id = {}, .name = Text(name)};
}
FetchTopic topic(std::uint64_t id) {
  return {.id = Uuid(id, id), .name = {}};
}

// "t-0@5": name or id, partition, offset, in order.
Strings in_order(FetchSession& session) {
  Strings out;
  session.for_each([&](const FetchSession::Partition& one) {
    const FetchTopic& named = *one.topic->named;
    out.push_back(fmt::format("{}-{}@{}", named.name.empty() ? std::to_string(named.id.high()) : named.name.str(),
                              one.wish.partition, one.wish.fetch_offset));
  });
  return out;
}

FetchedPartition found(std::int64_t high_watermark, std::size_t bytes = 0, std::int64_t log_start = 0) {
  FetchedPartition fetched;
  fetched.high_watermark = high_watermark;
  fetched.log_start_offset = log_start;
  if (bytes > 0) fetched.records = protocol::Bytes::own(std::vector<std::byte>(bytes));
  return fetched;
}
FetchedPartition failed(ErrorCode error) {
  FetchedPartition fetched;
  fetched.error = error;
  return fetched;
}

// The partitions that the client is told of, when this was found for them.
std::vector<std::int32_t> told(FetchSession& session, std::vector<FetchedPartition> fetched) {
  std::vector<std::int32_t> out;
  auto next = fetched.begin();
  session.answer([&](const FetchSession::Partition&) -> FetchedPartition& { return *next++; },
                 [&](const FetchSession::Partition& one, FetchedPartition& news) {
                   out.push_back(one.wish.partition);
                   news.records = {};  // as who answers takes them
                 });
  CHECK(next == fetched.end());
  return out;
}

TEST_CASE("a fetch session keeps partitions in order, changes and forgets them by name or by id") {
  FetchSession session(false);
  for (std::int32_t p : {2, 0, 1}) session.put(topic("t"), {.partition = p, .fetch_offset = 10});
  session.put(topic("u"), {.partition = 0, .fetch_offset = 20});
  CHECK(in_order(session) == Strings{"t-2@10", "t-0@10", "t-1@10", "u-0@20"});
  session.put(topic("t"), {.partition = 0, .fetch_offset = 11});
  session.forget(topic("u"), 0);
  session.forget(topic("u"), 0);
  session.forget(topic("t"), 7);
  CHECK(in_order(session) == Strings{"t-2@10", "t-0@11", "t-1@10"});
  session.put(topic("u"), {.partition = 0, .fetch_offset = 21});
  CHECK(in_order(session) == Strings{"t-2@10", "t-0@11", "t-1@10", "u-0@21"});
  CHECK(session.size() == 4);

  FetchSession by_id(true);
  by_id.put(topic(1), {.partition = 0});
  by_id.put(topic(2), {.partition = 0});
  by_id.forget(topic(1), 0);
  CHECK(in_order(by_id) == Strings{"2-0@0"});
  by_id.forget(topic(2), 0);
  CHECK(by_id.empty());
}

TEST_CASE("a fetch session owns the names that it was given") {
  FetchSession session(false);
  {
    const std::string frame = "a name that is longer than what a text holds inside";
    session.put({.id = {}, .name = Text::borrow(frame)}, {.partition = 0});
  }
  session.for_each([](const FetchSession::Partition& one) { CHECK_FALSE(one.topic->named->name.is_borrowed()); });
  CHECK(session.weight() == 1);
}

TEST_CASE("an answer in a fetch session has what is new, and what has records goes to the end") {
  FetchSession session(false);
  for (std::int32_t p = 0; p < 4; ++p) session.put(topic("t"), {.partition = p});
  CHECK(told(session, {found(0), found(0), found(0), found(0)}) == std::vector<std::int32_t>{0, 1, 2, 3});
  CHECK(told(session, {found(0), found(0), found(0), found(0)}).empty());
  // A high watermark or a log start that moved is news, but no reason to wait behind others.
  CHECK(told(session, {found(0), found(5), found(0, 0, 2), found(0)}) == std::vector<std::int32_t>{1, 2});
  CHECK(in_order(session) == Strings{"t-0@0", "t-1@0", "t-2@0", "t-3@0"});
  // Records are, even where nothing else is new.
  CHECK(told(session, {found(0, 9), found(5), found(0, 9, 2), found(0)}) == std::vector<std::int32_t>{0, 2});
  CHECK(in_order(session) == Strings{"t-1@0", "t-3@0", "t-0@0", "t-2@0"});
}

TEST_CASE("an error in a fetch session is told each time, and its end too") {
  FetchSession session(true);
  session.put(topic(1), {.partition = 0});
  CHECK(told(session, {found(7)}).size() == 1);
  CHECK(told(session, {failed(ErrorCode::kUnknownTopicId)}).size() == 1);
  CHECK(told(session, {failed(ErrorCode::kUnknownTopicId)}).size() == 1);
  CHECK(told(session, {found(7)}).size() == 1);
  CHECK(told(session, {found(7)}).empty());
}

TEST_CASE("epochs of a fetch session wrap to 1") {
  CHECK(FetchSession::next_epoch(FetchSession::kInitialEpoch) == 1);
  CHECK(FetchSession::next_epoch(1) == 2);
  CHECK(FetchSession::next_epoch(std::numeric_limits<std::int32_t>::max()) == 1);
  CHECK(FetchSession::next_epoch(FetchSession::kFinalEpoch) == FetchSession::kFinalEpoch);
}

// A cache at a time that a test moves.
struct Cache {
  explicit Cache(FetchSessionLimits limits) : cache(0, 2, limits, 7) {}

  // The id of a new session of so many partitions; 0 when there is no room.
  std::int32_t open(std::size_t partitions, const std::string& name = "t") {
    if (!cache.make_room(partitions, now)) return FetchSession::kNone;
    auto session = std::make_shared<FetchSession>(false);
    for (std::size_t p = 0; p < partitions; ++p) {
      session->put(topic(name), {.partition = static_cast<std::int32_t>(p)});
    }
    return cache.add(std::move(session), now);
  }
  bool has(std::int32_t id) const { return cache.find(id, 1, false).has_value(); }
  bool touch(std::int32_t id) { return cache.touch(**cache.find(id, 1, false), now); }

  FetchSessionCache cache;
  MonoTime now{std::chrono::hours{1}};
};

constexpr std::chrono::milliseconds kTick{1};

TEST_CASE("a fetch session is found by id, epoch and the way it names topics") {
  Cache cache({.sessions = 2, .weight = 100});
  const std::int32_t id = cache.open(3);
  CHECK(id > 0);
  CHECK(cache.cache.find(id + 1, 1, false).error() == ErrorCode::kFetchSessionIdNotFound);
  CHECK(cache.cache.find(0, 1, false).error() == ErrorCode::kFetchSessionIdNotFound);
  CHECK(cache.cache.find(-1, 1, false).error() == ErrorCode::kFetchSessionIdNotFound);
  CHECK(cache.cache.find(id, 2, false).error() == ErrorCode::kInvalidFetchSessionEpoch);
  CHECK(cache.cache.find(id, 1, true).error() == ErrorCode::kFetchSessionTopicIdError);
  const auto session = cache.cache.find(id, 1, false);
  REQUIRE(session.has_value());
  (*session)->advance();
  CHECK(cache.cache.find(id, 1, false).error() == ErrorCode::kInvalidFetchSessionEpoch);
  CHECK(cache.cache.find(id, 2, false).has_value());
  cache.cache.close(id);
  cache.cache.close(id);
  CHECK(cache.cache.find(id, 2, false).error() == ErrorCode::kFetchSessionIdNotFound);
  CHECK(cache.cache.weight() == 0);
  CHECK((*session)->size() == 3);  // a fetch that is under way still has it
}

TEST_CASE("a fetch session's id says whose it is") {
  for (std::size_t reactors : {1U, 2U, 3U, 256U}) {
    for (std::size_t reactor : {std::size_t{0}, reactors - 1}) {
      // Seeds that begin near the end of the range, so that it is passed.
      for (std::uint64_t seed = 0; seed < 300; ++seed) {
        FetchSessionCache cache(reactor, reactors, {.sessions = 9, .weight = 9}, seed);
        for (int i = 0; i < 3; ++i) {
          const std::int32_t id = cache.add(std::make_shared<FetchSession>(false), {});
          CHECK(id > 0);
          CHECK(FetchSessionCache::reactor_of(id, reactors) == reactor);
        }
      }
    }
    CHECK(FetchSessionCache::reactor_of(std::numeric_limits<std::int32_t>::max(), reactors) == reactors - 1);
    CHECK(FetchSessionCache::reactor_of(std::numeric_limits<std::int32_t>::min(), reactors) == 0);
  }
}

TEST_CASE("a fetch session that was not used for two minutes gives way to any other") {
  Cache cache({.sessions = 2, .weight = 100});
  const std::int32_t first = cache.open(5);
  const std::int32_t second = cache.open(5);
  cache.now += FetchSessionLimits::kEvictionAge;
  CHECK(cache.open(1) == FetchSession::kNone);
  CHECK(cache.touch(first));
  cache.now += kTick;
  const std::int32_t third = cache.open(1);
  CHECK(third != FetchSession::kNone);
  CHECK(cache.has(first));
  CHECK_FALSE(cache.has(second));
  CHECK(cache.cache.size() == 2);
}

TEST_CASE("a fetch session that is in use gives way to a larger one when it is two minutes old") {
  Cache cache({.sessions = 2, .weight = 100});
  const std::int32_t small = cache.open(3);
  const std::int32_t large = cache.open(8);
  CHECK(cache.open(9) == FetchSession::kNone);  // both are young
  cache.now += FetchSessionLimits::kEvictionAge + kTick;
  CHECK(cache.touch(small));
  CHECK(cache.touch(large));
  CHECK(cache.open(3) == FetchSession::kNone);  // not larger
  CHECK(cache.open(4) != FetchSession::kNone);
  CHECK_FALSE(cache.has(small));
  CHECK(cache.has(large));
}

TEST_CASE("a fetch session's new size counts when another one wants its place") {
  Cache cache({.sessions = 1, .weight = 100});
  const std::int32_t id = cache.open(3);
  cache.now += FetchSessionLimits::kEvictionAge + kTick;
  (*cache.cache.find(id, 1, false))->put(topic("u"), {.partition = 0});
  CHECK(cache.touch(id));
  CHECK(cache.cache.weight() == 4);
  CHECK(cache.open(4) == FetchSession::kNone);
  CHECK(cache.open(5) != FetchSession::kNone);
}

TEST_CASE("the partitions of all fetch sessions together are bounded") {
  Cache cache({.sessions = 10, .weight = 10});
  CHECK(cache.open(11) == FetchSession::kNone);
  const std::int32_t first = cache.open(6);
  CHECK(first != FetchSession::kNone);
  CHECK(cache.open(5) == FetchSession::kNone);
  const std::int32_t second = cache.open(4);
  CHECK(second != FetchSession::kNone);
  // One that outgrows what is left is closed.
  (*cache.cache.find(second, 1, false))->put(topic("t"), {.partition = 77});
  CHECK_FALSE(cache.touch(second));
  CHECK_FALSE(cache.has(second));
  CHECK(cache.cache.weight() == 6);
  // Names that clients invent count, too.
  CHECK(cache.open(1, std::string(1000, 'n')) == FetchSession::kNone);
  CHECK(cache.cache.weight() == 6);
  cache.now += FetchSessionLimits::kEvictionAge + kTick;
  CHECK(cache.open(10) != FetchSession::kNone);
  CHECK_FALSE(cache.has(first));
}

TEST_CASE("without slots there are no fetch sessions, and slots are shared by the reactors") {
  Cache cache({.sessions = 0, .weight = 0});
  CHECK(cache.open(0) == FetchSession::kNone);
  std::size_t sum = 0;
  for (std::size_t reactor = 0; reactor < 3; ++reactor) sum += FetchSessionLimits::share(1000, reactor, 3).sessions;
  CHECK(sum == 1000);
  CHECK(FetchSessionLimits::share(1000, 0, 1).weight == 256'000);
  CHECK(FetchSessionLimits::share(0, 0, 2).sessions == 0);
}

}  // namespace
}  // namespace cohort::topics
