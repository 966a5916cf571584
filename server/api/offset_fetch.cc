// OffsetFetch v1-10 (key 9): committed offsets.
//   v2 null topics ask for all of the group, and the answer has an error code of its own; v5 leader epochs; v7
//   require_stable; v8 many groups in one request; v9 members of KIP-848 name themselves; v10 topic ids.
// Each group is asked at its shard, the answers are gathered. In v10 ids are resolved by one snapshot: an unknown one
// is UNKNOWN_TOPIC_ID per partition, and topics of a whole group that have no id any more are left out. The empty group
// id is legal. What a shard refuses becomes that group's error; before v2 there is no place for it but every partition
// (OffsetFetchResponse.groupError).
// What is asked for again is answered once, where Kafka repeats itself: four bytes name an offset whose metadata may
// have kilobytes, and a few bytes name a whole group.
#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <unordered_set>

#include "protocol/messages/offset_fetch_request.h"
#include "protocol/messages/offset_fetch_response.h"
#include "server/api/group_call.h"
#include "server/api/handlers.h"

namespace cohort::api {
namespace {

using Request = protocol::OffsetFetchRequest;
using RequestGroup = Request::OffsetFetchRequestGroup;
using Response = protocol::OffsetFetchResponse;
using ResponseGroup = Response::OffsetFetchResponseGroup;
using ResponseTopics = Response::OffsetFetchResponseTopics;

constexpr std::int16_t kFirstWithGroups = 8;
constexpr std::int16_t kFirstWithTopicIds = 10;

ResponseTopics failed_topic(const Request::OffsetFetchRequestTopics& topic, ErrorCode error) {
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

// One group of the request on its way.
struct Asked {
  Text group_id;
  std::vector<ResponseTopics> answered;  // here, without the coordinator
  RequestGroup request;  // what the coordinator is asked for; afterwards only kept where an error must name it (v1)
};

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
    Request::OffsetFetchRequestTopics out;
    out.name = std::move(topic.name);
    out.partition_indexes = std::move(topic.partition_indexes);
    group.topics->push_back(std::move(out));
  }
  return group;
}

// What a request has asked for so far.
class Mentions {
 public:
  // Takes out of the group what was asked for before; false when that was all.
  bool add(RequestGroup& group) {
    if (!group.topics) return whole_groups_.insert(group.group_id).second;
    const bool had_topics = !group.topics->empty();
    std::erase_if(*group.topics, [&](Request::OffsetFetchRequestTopics& topic) {
      auto& seen = partitions_[{group.group_id, topic.name, topic.topic_id}];
      const auto repeated =
          std::erase_if(topic.partition_indexes, [&](std::int32_t index) { return !seen.insert(index).second; });
      return repeated > 0 && topic.partition_indexes.empty();
    });
    return !had_topics || !group.topics->empty();
  }

 private:
  std::set<Text> whole_groups_;
  std::map<std::tuple<Text, Text, protocol::Uuid>, std::unordered_set<std::int32_t>> partitions_;
};

// Ids to names; topics with an unknown id are answered here.
void resolve(Asked& asked, const topics::CatalogueSnapshot& snapshot) {
  if (!asked.request.topics) return;
  std::erase_if(*asked.request.topics, [&](Request::OffsetFetchRequestTopics& topic) {
    const topics::TopicInfo* info = snapshot.find(protocol::TopicId(topic.topic_id));
    if (info == nullptr) {
      asked.answered.push_back(failed_topic(topic, ErrorCode::kUnknownTopicId));
      return true;
    }
    topic.name = Text(info->name.value());
    return false;
  });
}

ResponseGroup refused_group(const Asked& asked, ErrorCode error, std::int16_t version) {
  ResponseGroup out;
  out.error_code = to_wire(error);
  if (version < 2 && asked.request.topics) {
    for (const auto& topic : *asked.request.topics) out.topics.push_back(failed_topic(topic, error));
  }
  return out;
}

// What clients before 3.9 understand (GroupCoordinatorService.handleOffsetFetchException).
ErrorCode fetch_error(ErrorCode error) {
  const ErrorCode mapped = refused_error(error);
  return mapped == ErrorCode::kCoordinatorNotAvailable ? ErrorCode::kNotCoordinator : mapped;
}

ResponseGroup group_answer(Asked& asked, coordinator::GroupResponse& answer, const topics::CatalogueSnapshot& snapshot,
                           std::int16_t version) {
  ResponseGroup out;
  if (const auto* refused = std::get_if<coordinator::Refused>(&answer)) {
    out = refused_group(asked, fetch_error(refused->error), version);
  } else {
    out = std::get<ResponseGroup>(std::move(answer));
    const auto error = static_cast<ErrorCode>(out.error_code);
    if (error != ErrorCode::kNone && version < 2) out = refused_group(asked, error, version);
  }
  out.group_id = std::move(asked.group_id);
  if (out.error_code == to_wire(ErrorCode::kNone)) {
    if (version >= kFirstWithTopicIds) {
      std::erase_if(out.topics, [&](ResponseTopics& topic) {
        const topics::TopicInfo* info = topic.topic_id.is_zero() ? snapshot.find(topic.name.view()) : nullptr;
        if (info) topic.topic_id = info->id.value();
        return topic.topic_id.is_zero();
      });
    }
    for (ResponseTopics& topic : asked.answered) out.topics.push_back(std::move(topic));
  }
  // Fields that the version does not have may not be set.
  for (ResponseTopics& topic : out.topics) {
    if (version >= kFirstWithTopicIds) {
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

}  // namespace

void handle_offset_fetch(Call call, Request request) {
  // 1. Every group in the newest shape.
  std::vector<RequestGroup> groups;
  if (call.version() >= kFirstWithGroups) {
    groups = std::move(request.groups);
  } else {
    groups.push_back(single_group(request));
  }

  // 2. What each shard is asked for.
  struct Pending {
    Call call;
    std::vector<Asked> asked;
  };
  const runtime::GroupRouter& router = call.services().groups;
  const std::shared_ptr<const topics::CatalogueSnapshot> snapshot = call.services().topics.snapshot();
  const std::int16_t version = call.version();
  std::shared_ptr<const void> frame = call.frame();
  auto pending = std::make_shared<Pending>(std::move(call), std::vector<Asked>{});
  std::vector<runtime::GroupRouter::Part> parts;
  Mentions mentions;
  for (RequestGroup& group : groups) {
    if (!mentions.add(group)) continue;
    Asked asked{.group_id = Text(group.group_id), .answered = {}, .request = std::move(group)};
    if (version >= kFirstWithTopicIds) resolve(asked, *snapshot);
    coordinator::FetchOffsets fetch;
    fetch.require_stable = request.require_stable;
    if (version < 2) {
      fetch.group = asked.request;
    } else {
      fetch.group = std::move(asked.request);
    }
    parts.push_back({router.partition_of(asked.group_id), std::move(fetch)});
    pending->asked.push_back(std::move(asked));
  }

  // 3. The answers, in the order of the request.
  router.scatter(std::move(parts), std::move(frame), [pending](std::vector<coordinator::GroupResponse> answers) {
    const std::shared_ptr<const topics::CatalogueSnapshot> now = pending->call.services().topics.snapshot();
    const std::int16_t asked_version = pending->call.version();
    Response response;
    for (std::size_t i = 0; i < answers.size(); ++i) {
      ResponseGroup group = group_answer(pending->asked[i], answers[i], *now, asked_version);
      if (asked_version < kFirstWithGroups) {
        response = single_answer(std::move(group), asked_version);
      } else {
        response.groups.push_back(std::move(group));
      }
    }
    pending->call.reply(response);
  });
}

}  // namespace cohort::api
