// OffsetFetch v1-10 (key 9): committed offsets.
//   v2 null topics ask for all of the group, and the answer has an error code of its own; v5 leader epochs; v7
//   require_stable; v8 many groups in one request; v9 members of KIP-848 name themselves; v10 topic ids.
// Each group is asked at its shard, the answers are gathered. In v10 ids are resolved by one snapshot: an unknown one
// is UNKNOWN_TOPIC_ID per partition, and topics of a whole group that have no id any more are left out. The empty group
// id is legal. What a shard refuses becomes that group's error; before v2 there is no place for it but every partition
// (OffsetFetchResponse.groupError).
// What is asked for again is answered once, where Kafka repeats itself: four bytes name an offset whose metadata may
// have kilobytes, and a few bytes name a whole group.
// What consumers send, a few named partitions of their group, overlaps on its connection, as commits do; whatever may
// have a large answer is a barrier.
#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <tuple>
#include <unordered_set>

#include "protocol/base/seeded_hash.h"
#include "protocol/messages/offset_fetch_request.h"
#include "protocol/messages/offset_fetch_response.h"
#include "protocol/wire/byte_reader.h"
#include "server/api/group_call.h"
#include "server/api/handlers.h"

namespace cohort::api {
namespace {

using Request = protocol::OffsetFetchRequest;
using RequestGroup = Request::OffsetFetchRequestGroup;
using RequestTopics = Request::OffsetFetchRequestTopics;
using Response = protocol::OffsetFetchResponse;
using ResponseGroup = Response::OffsetFetchResponseGroup;
using ResponseTopics = Response::OffsetFetchResponseTopics;

constexpr std::int16_t kFirstWithGroups = 8;
constexpr std::int16_t kFirstWithMembers = 9;
constexpr std::int16_t kFirstWithTopicIds = 10;

ResponseTopics failed_topic(const RequestTopics& topic, ErrorCode error) {
  ResponseTopics out;
  out.topic_id = topic.topic_id;
  out.name = Text(topic.name);
  for (const std::int32_t index : topic.partition_indexes) {
    Response::OffsetFetchResponsePartitions partition;
    partition.partition_index = index;
    partition.committed_offset = -1;
    partition.committed_leader_epoch = -1;
    partition.metadata = Text("");
    partition.error_code = to_wire(error);
    out.partitions.push_back(std::move(partition));
  }
  return out;
}

// The group of a request before v8, in the shape of the later ones.
RequestGroup single_group(Request& request) {
  RequestGroup group;
  group.group_id = std::move(request.group_id);
  if (!request.topics) {
    group.topics = std::nullopt;
    return group;
  }
  group.topics.emplace();
  for (auto& topic : *request.topics) {
    RequestTopics out;
    out.name = std::move(topic.name);
    out.partition_indexes = std::move(topic.partition_indexes);
    group.topics->push_back(std::move(out));
  }
  return group;
}

// Takes out of a request what it has asked for before.
class Mentions {
 public:
  // False when that was all of the group.
  bool add(RequestGroup& group) {
    if (!group.topics) return whole_groups_.insert(group.group_id).second;
    const bool had_topics = !group.topics->empty();
    std::erase_if(*group.topics, [&](RequestTopics& topic) {
      auto& seen = partitions_[{group.group_id, topic.name, topic.topic_id}];
      const auto repeated =
          std::erase_if(topic.partition_indexes, [&](std::int32_t index) { return !seen.insert(index).second; });
      return repeated > 0 && topic.partition_indexes.empty();
    });
    return !had_topics || !group.topics->empty();
  }

 private:
  std::set<Text> whole_groups_;
  std::map<std::tuple<Text, Text, protocol::Uuid>, std::unordered_set<std::int32_t, SeededHash>> partitions_;
};

// Nearly every request: one group, a topic or a few, and each partition once. Comparing them is cheaper than a set.
bool has_no_repeats(const std::vector<RequestGroup>& groups) {
  constexpr std::size_t kFew = 16;
  if (groups.size() != 1) return false;
  if (!groups[0].topics) return true;
  const std::vector<RequestTopics>& topics = *groups[0].topics;
  if (topics.size() > kFew) return false;
  const auto is_repeated = [](auto first, auto at, const auto& same) {
    return std::any_of(first, at, [&](const auto& earlier) { return same(earlier, *at); });
  };
  for (auto topic = topics.begin(); topic != topics.end(); ++topic) {
    const auto is_same = [](const RequestTopics& a, const RequestTopics& b) {
      return a.topic_id == b.topic_id && a.name == b.name;
    };
    if (is_repeated(topics.begin(), topic, is_same)) return false;
    const std::vector<std::int32_t>& indexes = topic->partition_indexes;
    if (std::ranges::adjacent_find(indexes, std::greater_equal<>()) == indexes.end()) continue;  // they ascend
    if (indexes.size() > kFew) return false;
    for (auto index = indexes.begin(); index != indexes.end(); ++index) {
      if (is_repeated(indexes.begin(), index, std::equal_to<>())) return false;
    }
  }
  return true;
}

// Ids to names; topics with an unknown id are answered here.
void resolve(RequestGroup& group, const topics::CatalogueSnapshot& snapshot, std::vector<ResponseTopics>& answered) {
  if (!group.topics) return;
  std::erase_if(*group.topics, [&](RequestTopics& topic) {
    const topics::TopicInfo* info = snapshot.find(protocol::TopicId(topic.topic_id));
    if (info == nullptr) {
      answered.push_back(failed_topic(topic, ErrorCode::kUnknownTopicId));
      return true;
    }
    topic.name = Text(info->name.value());
    return false;
  });
}

// What clients before 3.9 understand (GroupCoordinatorService.handleOffsetFetchException).
ErrorCode fetch_error(ErrorCode error) {
  const ErrorCode mapped = refused_error(error);
  return mapped == ErrorCode::kCoordinatorNotAvailable ? ErrorCode::kNotCoordinator : mapped;
}

// The error of a group; before v2 that of each partition that was asked for.
ResponseGroup refused_group(const RequestGroup& asked, ErrorCode error, std::int16_t version) {
  ResponseGroup out;
  out.group_id = asked.group_id;
  out.error_code = to_wire(error);
  if (version < 2 && asked.topics) {
    for (const auto& topic : *asked.topics) out.topics.push_back(failed_topic(topic, error));
  }
  return out;
}

// answered: its topics that were answered without the coordinator.
ResponseGroup group_answer(runtime::GroupCall& done, std::vector<ResponseTopics> answered,
                           const topics::CatalogueSnapshot& snapshot, std::int16_t version) {
  const RequestGroup& asked = std::get<coordinator::FetchOffsets>(done.request()).group;
  ResponseGroup out;
  if (const auto* refused = std::get_if<coordinator::Refused>(&done.response())) {
    out = refused_group(asked, fetch_error(refused->error), version);
  } else {
    out = std::get<ResponseGroup>(std::move(done.response()));
    const auto error = static_cast<ErrorCode>(out.error_code);
    if (error != ErrorCode::kNone && version < 2) out = refused_group(asked, error, version);
  }
  const bool by_id = version >= kFirstWithTopicIds;
  if (by_id && out.error_code == to_wire(ErrorCode::kNone)) {
    std::erase_if(out.topics, [&](ResponseTopics& topic) {
      const topics::TopicInfo* info = topic.topic_id.is_zero() ? snapshot.find(topic.name.view()) : nullptr;
      if (info) topic.topic_id = info->id.value();
      return topic.topic_id.is_zero();
    });
    for (ResponseTopics& topic : answered) out.topics.push_back(std::move(topic));
  }
  // Fields that the version does not have may not be set.
  for (ResponseTopics& topic : out.topics) {
    if (by_id) {
      topic.name = Text();
    } else {
      topic.topic_id = {};
    }
  }
  return out;
}

// The only group of an answer before v8, at the top level.
Response single_answer(ResponseGroup group, std::int16_t version) {
  Response response;
  if (version >= 2) response.error_code = group.error_code;
  for (ResponseTopics& topic : group.topics) {
    Response::OffsetFetchResponseTopic out;
    out.name = std::move(topic.name);
    for (auto& partition : topic.partitions) {
      Response::OffsetFetchResponsePartition one;
      one.partition_index = partition.partition_index;
      one.committed_offset = partition.committed_offset;
      if (version >= 5) one.committed_leader_epoch = partition.committed_leader_epoch;
      one.metadata = std::move(partition.metadata);
      one.error_code = partition.error_code;
      out.partitions.push_back(std::move(one));
    }
    response.topics.push_back(std::move(out));
  }
  return response;
}

// The whole request; answered when the last group is.
struct Pending {
  Call call;
  Response response;
  std::size_t missing = 0;

  void add(std::size_t place, runtime::GroupCall& done) {
    ResponseGroup& group = response.groups[place];
    group = group_answer(done, std::move(group.topics), *call.services().topics.snapshot(), call.version());
    if (--missing > 0) return;
    if (call.version() < kFirstWithGroups) response = single_answer(std::move(response.groups[0]), call.version());
    call.reply(response);
  }
};

}  // namespace

bool overlaps_offset_fetch(std::int16_t version, std::span<const std::byte> body) {
  // Not many partitions are named in so few bytes, and so not many kilobytes of metadata.
  constexpr std::size_t kSmall = 256;
  if (body.size() > kSmall) return false;
  const bool flexible = version >= Request::kFirstFlexible;
  protocol::ByteReader reader(body);
  if (version >= kFirstWithGroups && reader.array_count(flexible) != 1) return false;
  (void)reader.string(flexible);  // the group
  if (version >= kFirstWithMembers) {
    (void)reader.nullable_string(flexible);
    (void)reader.int32();
  }
  return reader.nullable_array_count(flexible).has_value() && reader.ok();
}

void handle_offset_fetch(Call call, Request request) {
  // 1. Every group in the newest shape, and what it asks for once.
  std::vector<RequestGroup> groups;
  if (call.version() >= kFirstWithGroups) {
    groups = std::move(request.groups);
  } else {
    groups.push_back(single_group(request));
  }
  if (!has_no_repeats(groups)) {
    Mentions mentions;
    std::erase_if(groups, [&](RequestGroup& group) { return !mentions.add(group); });
  }

  // 2. Each group is asked for at its shard.
  const std::shared_ptr<const topics::CatalogueSnapshot> snapshot = call.services().topics.snapshot();
  const runtime::GroupRouter& router = call.services().groups;
  const std::shared_ptr<const void> frame = call.frame();
  const bool by_id = call.version() >= kFirstWithTopicIds;
  const auto pending = std::make_shared<Pending>(Pending{std::move(call), {}, groups.size()});
  if (groups.empty()) return pending->call.reply(pending->response);
  pending->response.groups.resize(groups.size());
  for (std::size_t i = 0; i < groups.size(); ++i) {
    RequestGroup& group = groups[i];
    if (by_id) resolve(group, *snapshot, pending->response.groups[i].topics);
    const std::int32_t partition = router.partition_of(group.group_id);
    coordinator::FetchOffsets fetch{.group = std::move(group), .require_stable = request.require_stable};
    ask_partition(router, partition, std::move(fetch), frame,
                  [pending, i](runtime::GroupCall& done) { pending->add(i, done); });
  }
}

}  // namespace cohort::api
