#include "tests/sim/catalogue.h"

#include <fmt/format.h>

#include <array>
#include <iterator>
#include <utility>
#include <vector>

namespace cohort::sim {
namespace {

constexpr std::array kNames = {"orders", "orders-eu", "payments", "audit"};
constexpr std::int32_t kMaxPartitions = 12;

}  // namespace

Catalogue::Catalogue(World& world) : world_(world) {
  for (const char* name : {"orders", "payments", "audit"}) create(name);
  publish();
}

void Catalogue::create(const std::string& name) {
  topics_[name] = {protocol::TopicId(protocol::Uuid(1, ++last_id_)), static_cast<std::int32_t>(world_.pick(1, 6))};
}

bool Catalogue::change() {
  const std::string name = kNames[static_cast<std::size_t>(world_.pick(0, std::ssize(kNames) - 1))];
  const auto it = topics_.find(name);
  bool deleted = false;
  if (it == topics_.end()) {
    world_.count("topic: created");
    create(name);
  } else if (world_.chance(0.4) && it->second.partitions < kMaxPartitions) {
    world_.count("topic: grown");
    it->second.partitions += static_cast<std::int32_t>(world_.pick(1, 2));
  } else if (world_.chance(0.5)) {
    world_.count("topic: deleted and created in one view");
    create(name);
    deleted = true;
  } else if (topics_.size() > 1) {
    world_.count("topic: deleted");
    topics_.erase(it);
    deleted = true;
  }
  publish();
  return deleted;
}

void Catalogue::publish() {
  std::vector<coordinator::TopicView> topics;
  for (const auto& [name, topic] : topics_) topics.push_back({topic.id, protocol::TopicName(name), topic.partitions});
  view_ = std::make_shared<coordinator::MetadataView>(++version_, std::move(topics));
}

}  // namespace cohort::sim
