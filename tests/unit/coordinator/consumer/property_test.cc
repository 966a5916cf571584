// Random groups: model clients that join, beat, lag behind, lose replies, leave, crash and come back, while topics and
// the process change. The harness checks C1, C2 and C10 after every step; here are C3 (nobody is given a partition that
// a live client still has), C4 (a stable group writes nothing) and C5 (uniform is even).
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <random>

#include "tests/unit/coordinator/harness.h"

namespace cohort::coordinator::testing {

using namespace std::chrono_literals;

namespace {

struct Client {
  std::string id;
  std::optional<std::string> instance;
  std::vector<std::string> topics;
  std::int32_t epoch = 0;  // as the client knows it; 0: has to join
  Owned owned;             // what it works on; given up only by itself
  bool is_unsure = false;  // a reply was lost: the next request is a full one, as clients do after any error
};

class World {
 public:
  World(std::uint64_t seed, const config::GroupConfig& config) : random_(seed), h_(config) {
    for (const std::string name : {"a", "b", "c"}) h_.topic(name, partitions_[name] = 1 + pick(6));
  }

  void step() {
    switch (pick(20)) {
      case 0:
        return add_client();
      case 1:
        return leave();
      case 2:
        return crash();
      case 3:
        return static_restart();
      case 4:
        return change_topics();
      case 5:
        return change_subscription();
      case 6:
        return pass_time();
      case 7:
        return h_.restart(pick(2) == 0);
      default:
        if (clients_.empty()) return add_client();
        return beat(clients_[static_cast<std::size_t>(pick(static_cast<int>(clients_.size())))], pick(8) == 0);
    }
  }

  // Everybody beats until nothing moves any more; then the group is stable, even, and silent.
  void settle() {
    if (clients_.empty()) return;
    for (int round = 0; round < 60; ++round) {  // longer than a session: who crashed is gone
      h_.sleep(1s);
      for (Client& client : clients_) beat(client, false);
    }
    h_.records();
    for (int round = 0; round < 3; ++round) {
      h_.sleep(1s);
      for (Client& client : clients_) beat(client, false);
    }
    INFO(dump(h_.state()));
    CHECK(h_.records().empty());
    CHECK(h_.group().state() == ConsumerGroupState::kStable);
    check_everything_is_owned();
    check_even();
  }

 private:
  int pick(int below) { return static_cast<int>(random_() % static_cast<std::uint64_t>(below)); }

  std::vector<std::string> some_topics() {
    std::vector<std::string> topics;
    for (const auto& [name, count] : partitions_) {
      if (pick(3) != 0) topics.push_back(name);
    }
    return topics;
  }

  void add_client() {
    if (clients_.size() >= 6) return;
    Client client;
    client.id = fmt::format("m{}", ++made_);
    if (pick(3) == 0) client.instance = fmt::format("i{}", made_);
    client.topics = pick(2) == 0 ? std::vector<std::string>{"a", "b"} : some_topics();
    clients_.push_back(std::move(client));
    beat(clients_.back(), false);
  }

  void forget(Client& client) {
    client.epoch = 0;
    client.owned.clear();
  }

  void beat(Client& client, bool loses_reply) {
    const bool joins = client.epoch == 0;
    Said said{.instance = client.instance};
    if (joins) said.topics = client.topics;
    if (!joins && (client.is_unsure || pick(3) != 0)) said.owned = known_owned(client);
    if (!joins && client.is_unsure) {
      said.topics = client.topics;
      said.rebalance_timeout_ms = 60'000;
    }
    const Answer answer = joins ? h_.join(client.id, said) : h_.beat(client.id, client.epoch, said);
    client.is_unsure = loses_reply;
    if (loses_reply) return;
    if (answer.error != ErrorCode::kNone) {
      INFO(client.id << " at " << client.epoch << ": " << answer.message.value_or(""));
      REQUIRE((answer.error == ErrorCode::kFencedMemberEpoch || answer.error == ErrorCode::kUnknownMemberId ||
               answer.error == ErrorCode::kGroupIdNotFound));
      return forget(client);
    }
    client.epoch = answer.epoch;
    if (answer.assignment) {
      client.owned = *answer.assignment;
      check_nobody_else_has(client);
    }
  }

  // What the client can name: topics that are gone it has dropped by itself.
  Owned known_owned(const Client& client) const {
    Owned owned;
    for (const auto& [name, partitions] : client.owned) {
      if (partitions_.contains(name)) owned[name] = partitions;
    }
    return owned;
  }

  // C3.
  void check_nobody_else_has(const Client& client) const {
    for (const Client& other : clients_) {
      if (other.id == client.id || h_.group().find_member(other.id) == nullptr) continue;
      for (const auto& [name, partitions] : client.owned) {
        const auto it = other.owned.find(name);
        if (it == other.owned.end()) continue;
        for (const std::int32_t partition : partitions) {
          INFO(client.id << " and " << other.id << " have " << name << "-" << partition);
          REQUIRE(std::ranges::find(it->second, partition) == it->second.end());
        }
      }
    }
  }

  void leave() {
    if (clients_.empty()) return;
    const auto it = clients_.begin() + pick(static_cast<int>(clients_.size()));
    if (h_.state().find_consumer_group("g") != nullptr) h_.leave(it->id, {.instance = it->instance});
    clients_.erase(it);
  }

  void crash() {
    if (clients_.empty()) return;
    clients_.erase(clients_.begin() + pick(static_cast<int>(clients_.size())));
  }

  void static_restart() {
    for (Client& client : clients_) {
      if (!client.instance || client.epoch == 0) continue;
      h_.leave_for_a_while(client.id, *client.instance);
      if (pick(2) == 0) client.id = fmt::format("m{}", ++made_);
      forget(client);
      return beat(client, pick(4) == 0);
    }
  }

  void change_topics() {
    const std::string name(1, static_cast<char>('a' + pick(3)));
    if (!partitions_.contains(name)) {
      h_.topic(name, partitions_[name] = 1 + pick(6));
    } else if (pick(3) == 0) {
      partitions_.erase(name);
      h_.drop_topic(name);
      for (Client& client : clients_) client.owned.erase(name);
    } else {
      h_.topic(name, partitions_[name] += pick(3));
    }
  }

  void change_subscription() {
    for (Client& client : clients_) {
      if (client.epoch == 0 || pick(2) == 0) continue;
      client.topics = some_topics();
      const Answer answer = h_.beat(client.id, client.epoch, {.topics = client.topics, .instance = client.instance});
      if (answer.error != ErrorCode::kNone) return forget(client);
      client.epoch = answer.epoch;
      if (answer.assignment) client.owned = *answer.assignment;
      return check_nobody_else_has(client);
    }
  }

  void pass_time() { h_.sleep(Duration(pick(50'000))); }

  void check_everything_is_owned() const {
    for (const auto& [name, count] : partitions_) {
      const bool wanted = std::ranges::any_of(clients_, [&name](const Client& client) {
        return std::ranges::find(client.topics, name) != client.topics.end();
      });
      std::size_t owned = 0;
      for (const Client& client : clients_) {
        if (const auto it = client.owned.find(name); it != client.owned.end()) owned += it->second.size();
      }
      INFO("topic " << name);
      CHECK(owned == (wanted ? static_cast<std::size_t>(count) : 0));
    }
  }

  // C5, for members that subscribe to the same topics, when all do.
  void check_even() const {
    if (std::ranges::any_of(clients_, [this](const Client& one) { return one.topics != clients_[0].topics; })) return;
    std::size_t least = 1000;
    std::size_t most = 0;
    for (const Client& client : clients_) {
      std::size_t count = 0;
      for (const auto& [name, partitions] : client.owned) count += partitions.size();
      least = std::min(least, count);
      most = std::max(most, count);
    }
    CHECK(most - least <= 1);
  }

  std::mt19937_64 random_;
  Harness h_;
  std::map<std::string, std::int32_t> partitions_;
  std::vector<Client> clients_;
  int made_ = 0;
};

void run(std::uint64_t seed, const config::GroupConfig& config) {
  INFO("seed " << seed);
  World world(seed, config);
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 60; ++i) world.step();
    world.settle();
  }
}

}  // namespace

TEST_CASE("random groups keep the rules, targets computed at once") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) run(seed, exact_config());
}

TEST_CASE("random groups keep the rules, with Kafka's defaults") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) run(seed, config::GroupConfig{});
}

}  // namespace cohort::coordinator::testing
