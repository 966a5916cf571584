// Subscriptions by regular expression: the conformance scenarios regex and regex-invalid, and when it is resolved
// again.
#include <catch2/catch.hpp>

#include "tests/unit/coordinator/harness.h"

namespace cohort::coordinator::testing {

using namespace std::chrono_literals;

TEST_CASE("a regular expression is resolved by a job: first epoch 1 and nothing, then the topics") {
  Harness h;
  h.topic("one", 2);
  h.topic("two", 1);
  h.topic("other", 1);
  const Answer joined = h.join("m1", {.regex = "one|tw."});
  CHECK(joined.error == ErrorCode::kNone);
  CHECK(joined.epoch == 1);
  CHECK(joined.assignment == Owned{});
  CHECK(h.records() == Lines{"member m1 [] ~one|tw.", "current m1 1<0 stable"});
  CHECK(h.jobs() == 1);
  h.beat("m1", 1);
  CHECK(h.jobs() == 1);  // one at a time
  h.records();

  h.run_jobs();
  CHECK(h.records() == Lines{"regex one|tw. [one,two]", "group 2"});
  const Answer resolved = h.beat("m1", 1);
  CHECK(resolved.epoch == 2);
  CHECK(resolved.assignment == Owned{{"one", {0, 1}}, {"two", {0}}});
  h.records();

  // No subscription any more: the epoch goes up and everything is to be given up.
  const Answer dropped = h.beat("m1", 2, {.regex = ""});
  CHECK(dropped.epoch == 2);
  CHECK(dropped.assignment == Owned{});
  CHECK(h.records() == Lines{"member m1 []", "-regex one|tw.", "group 3", "target m1", "assignment 3",
                             "current m1 2<2 unrevoked revoking one:0@2,1@2 two:0@2"});
  const Answer given_up = h.beat("m1", 2, {.owned = Owned{}});
  CHECK(given_up.epoch == 3);
  CHECK_FALSE(given_up.assignment);
  CHECK(h.group().resolved_regexes.empty());
  CHECK(h.group().subscribed_topics.empty());
}

TEST_CASE("an expression that RE2 does not take is error 128 and leaves no trace") {
  Harness h;
  for (const std::string bad : {"[", "(?=x)y", "a(?!b)"}) {
    const Answer refused = h.join("m1", {.regex = bad});
    CHECK(refused.error == ErrorCode::kInvalidRegularExpression);
    CHECK(refused.epoch == 0);
    REQUIRE(refused.message);
    CHECK(refused.message->starts_with("SubscribedTopicRegex `" + bad + "` is not a valid regular expression: "));
  }
  CHECK(h.records().empty());
  CHECK(h.jobs() == 0);
  CHECK(h.beat("m1", 2).error == ErrorCode::kGroupIdNotFound);
}

TEST_CASE("a second member with a known expression starts no job and rebalances at once") {
  Harness h;
  h.topic("t", 2);
  h.join("m1", {.regex = "t.*"});
  h.run_jobs();
  h.beat("m1", 1);
  h.records();
  CHECK(h.join("m2", {.regex = "t.*"}).epoch == 3);
  CHECK(h.jobs() == 0);
  CHECK(h.records() == Lines{"member m2 [] ~t.*", "group 3", "target m1 t:0", "target m2 t:1", "assignment 3",
                             "current m2 3<0 unreleased"});
  // The expression stays as long as one of them wants it.
  h.leave("m1");
  CHECK(h.records() == Lines{"-current m1", "-target m1", "-member m1", "group 4"});
  h.leave("m2");
  CHECK(h.records() == Lines{"-current m2", "-target m2", "-member m2", "-regex t.*", "group 5"});
  CHECK(h.group().subscribed_topics.empty());
}

TEST_CASE("a new topic is found, but not sooner than 10 s after the last resolution") {
  Harness h;
  h.topic("t1", 1);
  h.join("m1", {.regex = "t.*"});
  h.run_jobs();
  CHECK(h.beat("m1", 1).epoch == 2);
  h.topic("t2", 1);
  h.sleep(10s);
  h.beat("m1", 2);
  CHECK(h.jobs() == 0);
  h.sleep(1ms);
  h.beat("m1", 2);
  CHECK(h.jobs() == 1);
  h.run_jobs();
  const Answer found = h.beat("m1", 2);
  CHECK(found.epoch == 3);
  CHECK(found.assignment == Owned{{"t1", {0}}, {"t2", {0}}});
  h.sleep(11s);
  h.beat("m1", 3);
  CHECK(h.jobs() == 0);  // nothing new
}

TEST_CASE("expressions are resolved again after the refresh interval, and an equal result bumps nothing") {
  Harness h;
  h.topic("t1", 1);
  h.join("m1", {.regex = "t.*"});
  h.run_jobs();
  h.beat("m1", 1);
  for (int i = 0; i < 20; ++i) {
    h.sleep(30s);
    h.beat("m1", 2);
  }
  CHECK(h.jobs() == 0);
  h.sleep(1ms);
  h.beat("m1", 2);
  CHECK(h.jobs() == 1);
  h.records();
  h.run_jobs();
  CHECK(h.records() == Lines{"regex t.* [t1]"});
  CHECK(h.group().epoch.value() == 2);
}

TEST_CASE("a result that nobody waits for any more is dropped") {
  Harness h;
  h.topic("t", 1);
  h.join("m1", {.regex = "t.*"});
  SECTION("the member changed its mind") {
    h.beat("m1", 1, {.regex = "u.*"});
    h.records();
    h.run_jobs();
    CHECK(h.records().empty());
    h.beat("m1", 1);
    h.run_jobs();
    CHECK(h.records().front() == "regex u.* []");
  }
  SECTION("the group is empty") {
    h.leave("m1");
    h.records();
    h.run_jobs();
    CHECK(h.records().empty());
  }
}

TEST_CASE("a job whose result never comes is started again") {
  Harness h;
  h.topic("t", 1);
  h.join("m1", {.regex = "t.*"});
  h.restart();  // jobs are lost with the process
  h.beat("m1", 1);
  CHECK(h.jobs() == 1);
  h.sleep(30s);
  h.beat("m1", 1);
  CHECK(h.jobs() == 1);
  h.sleep(30s);
  h.beat("m1", 1);
  CHECK(h.jobs() == 2);
  h.run_jobs();
  CHECK(h.beat("m1", 1).epoch == 2);
}

TEST_CASE("names and an expression together") {
  Harness h;
  h.topic("a", 1);
  h.topic("t", 1);
  CHECK(h.join("m1", {.topics = {{"a"}}, .regex = "t|a"}).assignment == Owned{{"a", {0}}});
  h.run_jobs();
  CHECK(h.beat("m1", 2).assignment == Owned{{"a", {0}}, {"t", {0}}});
  CHECK(h.group().subscribed_topics.at(protocol::TopicName("a")) == SubscriptionCount{1, 1});
  CHECK(h.beat("m1", 3, {.regex = "", .owned = Owned{{"a", {0}}}}).assignment == Owned{{"a", {0}}});
  CHECK_FALSE(h.group().is_subscribed_to("t"));
  CHECK(h.group().is_subscribed_to("a"));
}

TEST_CASE("a matched topic that is deleted is given up") {
  Harness h;
  h.topic("t1", 1);
  h.topic("t2", 1);
  h.join("m1", {.regex = "t.*"});
  h.run_jobs();
  h.beat("m1", 1);
  h.drop_topic("t2");
  CHECK(h.beat("m1", 2).assignment == Owned{{"t1", {0}}});
  CHECK(h.beat("m1", 2, {.owned = Owned{{"t1", {0}}}}).epoch == 3);
}

TEST_CASE("resolved expressions outlive a restart") {
  Harness h;
  h.topic("t", 1);
  h.join("m1", {.regex = "t.*"});
  h.run_jobs();
  h.beat("m1", 1);
  h.sleep(20s);
  h.restart(true);
  h.records();
  CHECK(h.beat("m1", 2).epoch == 2);
  CHECK(h.jobs() == 0);
  CHECK(h.records().empty());
}

}  // namespace cohort::coordinator::testing
