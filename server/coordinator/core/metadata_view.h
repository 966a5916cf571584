// An immutable snapshot of the topics, all that a coordinator knows of them: name, id, partition count.
// `app` makes one from what `topics` publishes and hands it to every shard as an input; the coordinator never asks back.
// So the topic store may as well be another cluster. Shared between threads, never changed.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "protocol/types/ids.h"

namespace cohort::coordinator {

struct TopicView {
  protocol::TopicId id;
  protocol::TopicName name;
  std::int32_t partitions = 0;  // > 0
};

class MetadataView {
 public:
  MetadataView() = default;
  // version grows with every change of the catalogue. Names and ids are unique.
  MetadataView(std::int64_t version, std::vector<TopicView> topics);

  std::int64_t version() const { return version_; }
  // Null when there is no such topic. The pointer lives as long as the view.
  const TopicView* find(std::string_view name) const;
  const TopicView* find(const protocol::TopicId& id) const;
  // Sorted by name.
  const std::vector<TopicView>& topics() const { return topics_; }

 private:
  std::int64_t version_ = 0;
  std::vector<TopicView> topics_;
  std::unordered_map<protocol::TopicId, std::size_t> by_id_;
};

}  // namespace cohort::coordinator
