// The topics of the simulation: what `topics` would publish. Topics come, grow, go, and come again under the same name
// with another id. The catalogue is durable by itself: a crash of the server changes nothing here.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "server/coordinator/core/metadata_view.h"
#include "tests/sim/world.h"

namespace cohort::sim {

class Catalogue {
 public:
  explicit Catalogue(World& world);

  // Something happens to a topic. Returns whether a topic was deleted.
  bool change();
  std::shared_ptr<const coordinator::MetadataView> view() const { return view_; }
  bool exists(const protocol::TopicId& id) const { return view_->find(id) != nullptr; }

 private:
  struct Topic {
    protocol::TopicId id;
    std::int32_t partitions = 0;
  };
  void create(const std::string& name);
  void publish();

  World& world_;
  std::map<std::string, Topic> topics_;
  std::uint64_t last_id_ = 0;
  std::int64_t version_ = 0;
  std::shared_ptr<const coordinator::MetadataView> view_;
};

}  // namespace cohort::sim
