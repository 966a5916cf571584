// The catalogue as a state machine: requests are decided into records, and only apply(record) changes what is known,
// at run time and on replay alike. Pure; owned by the Catalogue, on reactor 0.
//
// A request over many topics is decided topic by topic, each on top of the one before, since each is a fact of its own:
// one record holds all of a topic, so after a crash a topic is there whole or not at all.
//
// Rules and messages follow Kafka's controller (ControllerApis, ReplicationControlManager,
// ConfigurationControlManager).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "protocol/base/result.h"
#include "protocol/records/catalogue_record.h"
#include "server/topics/catalogue_requests.h"
#include "server/topics/catalogue_snapshot.h"
#include "server/topics/options.h"

namespace cohort::topics {

// What a topic was and what it is now; one of them is null when it was created or deleted.
struct TopicChange {
  std::shared_ptr<const TopicInfo> before;
  std::shared_ptr<const TopicInfo> after;
};

// What a step decided: records to write, in order, and what they change beyond the catalogue.
struct CatalogueOutput {
  std::vector<protocol::CatalogueRecord> records;
  std::size_t bytes = 0;  // that the records take, about
  std::vector<TopicChange> changes;
  bool groups_changed = false;  // what groups have set for themselves
};

// All records of a step stand in one batch of the log, so there is a most that it may decide. Over it:
// POLICY_VIOLATION, before anything is applied. Far below what the log takes at once, and a single record is small
// beside it.
inline constexpr std::size_t kMaxStepBytes = std::size_t{12} << 20;
std::size_t estimated_bytes(const protocol::CatalogueRecord& record);

// What a step is given besides its request.
struct CatalogueContext {
  std::int64_t now_ms = 0;  // wall time
  const std::function<protocol::Uuid()>& new_id;
};

class CatalogueCore {
 public:
  // options must outlive the core.
  explicit CatalogueCore(const TopicStoreOptions& options) : options_(options) {}

  // ---- decide; validate_only decides and leaves everything as it is ----
  std::vector<CreatedTopic> create_topics(const std::vector<CreateTopic>& topics, bool validate_only,
                                          const CatalogueContext& context, CatalogueOutput& output);
  std::vector<CreatedTopic> auto_create(const std::vector<std::string>& names, const CatalogueContext& context,
                                        CatalogueOutput& output);
  std::vector<DeletedTopic> delete_topics(const std::vector<DeleteTopic>& topics, CatalogueOutput& output);
  std::vector<TopicOutcome> create_partitions(const std::vector<CreatePartitions>& topics, bool validate_only,
                                              CatalogueOutput& output);
  std::vector<TopicOutcome> alter_configs(const std::vector<AlterConfigs>& requests, bool validate_only,
                                          CatalogueOutput& output);
  // The topics that the server itself needs and that are not there yet: all of them on the first start.
  void create_internal_topics(const CatalogueContext& context, CatalogueOutput& output);
  // One more start of the server: every leader epoch is one higher. The caller must not serve before the record is
  // durable.
  void count_start(CatalogueOutput& output);
  // The first of `count` ids that are now reserved. The caller must not use one before the record is durable.
  std::int64_t reserve_producer_ids(std::int64_t count, CatalogueOutput& output);

  // All that was decided so far is carried out. Nothing when that is known already.
  void mark_carried_out(CatalogueOutput& output);

  // The only mutator. An error: a record that no decision can have made, so the log is damaged.
  Result<void> apply(const protocol::CatalogueRecord& record);

  // ---- look ----
  // Sorted by name.
  std::vector<std::shared_ptr<const TopicInfo>> topics() const;
  std::size_t topic_count() const { return by_name_.size(); }
  // Records that a log of this state alone would have.
  std::size_t live_records() const { return by_name_.size() + groups_.size() + 3; }
  // Of the groups that have any.
  const GroupSettingsById& groups() const { return groups_; }
  std::int64_t partition_count() const { return partition_count_; }
  // Whether the partition's folder may be missing, because a crash cut short what makes it. Later a missing one was
  // lost.
  bool may_be_unmade(const TopicInfo& topic, std::int32_t partition) const;
  // Whether folders of this topic may still be there although it was deleted, for the same reason.
  bool may_be_left(const protocol::TopicId& id) const { return unremoved_.contains(id); }
  // Of the server on this data folder, the present one included.
  std::int32_t starts() const { return starts_; }
  std::int64_t next_producer_id() const { return next_producer_id_; }
  // Records that make this state out of nothing.
  std::vector<protocol::CatalogueRecord> snapshot_records() const;

 private:
  using Refusal = ConfigRefusal;  // an error code and why
  struct Plan {                   // of a topic to be created
    std::int32_t partitions = 0;
    ConfigOverrides overrides;
  };

  std::expected<Plan, Refusal> plan_topic(const CreateTopic& topic, const CatalogueOutput& output) const;
  static std::optional<Refusal> check_step(const CatalogueOutput& output);
  std::optional<Refusal> check_new_name(std::string_view name) const;
  std::expected<std::int32_t, Refusal> count_partitions(const CreateTopic& topic) const;
  std::optional<Refusal> check_room(std::int64_t more_topics, std::int64_t more_partitions) const;
  std::optional<Refusal> grow_topic(const CreatePartitions& request, bool validate_only, CatalogueOutput& output);
  std::optional<Refusal> alter_topic(const AlterConfigs& request, bool validate_only, CatalogueOutput& output);
  std::optional<Refusal> alter_group(const AlterConfigs& request, bool validate_only, CatalogueOutput& output);

  void emit_topic(TopicInfo topic, CatalogueOutput& output);
  void emit(protocol::CatalogueRecord record, CatalogueOutput& output);
  std::shared_ptr<const TopicInfo> find(std::string_view name) const;
  Result<void> apply_topic(const protocol::CatalogueTopicRecord& record);
  Result<void> apply_group(const protocol::CatalogueGroupRecord& record);
  void erase(const protocol::TopicId& id);

  const TopicStoreOptions& options_;
  std::map<std::string, std::shared_ptr<const TopicInfo>, std::less<>> by_name_;
  std::unordered_map<protocol::TopicId, std::shared_ptr<const TopicInfo>> by_id_;
  std::unordered_multimap<std::string, std::string> collisions_;  // unified name → names with '.' or '_'
  GroupSettingsById groups_;
  // Of topics that were made or grew since the last mark: the first partition that may be unmade.
  std::unordered_map<protocol::TopicId, std::int32_t> unmade_;
  std::set<protocol::TopicId> unremoved_;  // deleted since the last mark
  std::int64_t partition_count_ = 0;
  std::int64_t next_producer_id_ = 0;
  std::int32_t starts_ = 0;
};

}  // namespace cohort::topics
