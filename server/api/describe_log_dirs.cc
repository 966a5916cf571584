// DescribeLogDirs v1-5 (key 35): the data folder, the sizes of the partitions in it and of its volume.
//   v2 tagged fields; v3 an error code of its own; v4 total and usable bytes of the volume; v5 cordoned folders (none).
// Null topics ask for all partitions; what is asked for and is not there is left out, and what is asked for twice is
// answered once (KafkaApis.handleDescribeLogDirsRequest). The one replica is never behind itself: lag 0.
#include <filesystem>
#include <map>
#include <set>
#include <utility>

#include "protocol/base/log.h"
#include "protocol/messages/describe_log_dirs_request.h"
#include "protocol/messages/describe_log_dirs_response.h"
#include "server/api/common.h"
#include "server/api/handlers.h"
#include "server/storage/fs.h"

namespace cohort::api {
namespace {

using Request = protocol::DescribeLogDirsRequest;
using Response = protocol::DescribeLogDirsResponse;
using Folder = Response::DescribeLogDirsResult;
using Sizes = std::vector<std::optional<std::uint64_t>>;

// What is asked for and exists, by topic.
struct Asked {
  std::shared_ptr<const topics::CatalogueSnapshot> snapshot;
  std::vector<std::pair<const topics::TopicInfo*, std::int32_t>> partitions;
};

Asked resolve(const Request& request, std::shared_ptr<const topics::CatalogueSnapshot> snapshot) {
  Asked asked{.snapshot = std::move(snapshot), .partitions = {}};
  if (!request.topics) {
    for (const auto& topic : asked.snapshot->topics()) {
      for (std::int32_t index = 0; index < topic->partitions; ++index)
        asked.partitions.emplace_back(topic.get(), index);
    }
    return asked;
  }
  std::map<std::string_view, std::set<std::int32_t>> by_topic;
  for (const auto& topic : *request.topics) {
    if (topic.partitions.empty()) continue;
    by_topic[topic.topic.view()].insert(topic.partitions.begin(), topic.partitions.end());
  }
  for (const auto& [name, indexes] : by_topic) {
    const topics::TopicInfo* info = asked.snapshot->find(name);
    if (info == nullptr) continue;
    for (const std::int32_t index : indexes) {
      if (has_partition(info, index)) asked.partitions.emplace_back(info, index);
    }
  }
  return asked;
}

void add_partitions(Folder& folder, const Asked& asked, const Sizes& sizes) {
  const topics::TopicInfo* topic = nullptr;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const auto& [info, index] = asked.partitions[i];
    if (!sizes[i]) continue;
    if (info != topic) {
      topic = info;
      folder.topics.emplace_back().name = Text(info->name.value());
    }
    Response::DescribeLogDirsPartition partition;
    partition.partition_index = index;
    partition.partition_size = static_cast<std::int64_t>(*sizes[i]);
    folder.topics.back().partitions.push_back(partition);
  }
}

Folder describe(const std::string& dir, const Asked& asked, const Sizes& sizes, const Result<storage::Space>& space) {
  Folder folder;
  folder.log_dir = Text(std::filesystem::absolute(dir).string());
  if (!space) {
    log::warn("Api", "The data folder cannot be described: {}", space.error().message);
    folder.error_code = to_wire(ErrorCode::kKafkaStorageError);
    return folder;
  }
  folder.total_bytes = static_cast<std::int64_t>(space->total_bytes);
  folder.usable_bytes = static_cast<std::int64_t>(space->free_bytes);
  add_partitions(folder, asked, sizes);
  return folder;
}

}  // namespace

void handle_describe_log_dirs(Call call, Request request) {
  topics::TopicStore& store = call.services().topics;
  Asked asked = resolve(request, store.snapshot());
  std::vector<topics::PartitionId> ids;
  ids.reserve(asked.partitions.size());
  for (const auto& [info, index] : asked.partitions) ids.push_back({info->id, index});
  store.log_sizes(std::move(ids), [&store, call = std::move(call), asked = std::move(asked)](Sizes sizes) mutable {
    store.space([call = std::move(call), asked = std::move(asked),
                 sizes = std::move(sizes)](Result<storage::Space> space) mutable {
      Response response;
      response.results.push_back(describe(call.services().values().log_dir, asked, sizes, space));
      call.reply(response);
    });
  });
}

}  // namespace cohort::api
