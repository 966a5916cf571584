#include "tests/sim/server.h"

#include <fmt/format.h>

#include <cerrno>
#include <set>
#include <utility>

#include "protocol/batch/record.h"
#include "protocol/wire/byte_buffer.h"
#include "server/runtime/partition_for.h"

namespace cohort::sim {
namespace {

class SeededIds final : public coordinator::IdSource {
 public:
  explicit SeededIds(World& world) : world_(world) {}
  protocol::Uuid next_uuid() override {
    const std::uint64_t high = world_.random();
    return {high, world_.random()};
  }

 private:
  World& world_;
};

[[noreturn]] void violated(std::string text) {
  throw Violation(std::move(text));
}

template <typename T>
T expect(Result<T> result, std::string_view what) {
  if (!result) violated(fmt::format("{}: {}", what, result.error().message));
  return std::move(*result);
}

}  // namespace

struct Server::Shard {
  std::string name;
  std::shared_ptr<storage::Log> log;
  std::optional<Core> core;
  Core::Effects effects;
  std::map<std::uint64_t, OnReply> open;  // by call
  bool turn_open = false;
  std::optional<MonoTime> armed_for;

  // Outlive crashes.
  std::unique_ptr<coordinator::GroupCoordinator> shadow;
  std::int64_t shadow_end = 0;
  std::map<std::string, std::int32_t> epochs;  // the highest epoch of each group in the shadow
};

Server::Server(World& world, config::GroupConfig config, std::int32_t shards)
    : world_(world),
      config_(std::move(config)),
      ids_(std::make_unique<SeededIds>(world)),
      topics_(std::make_shared<coordinator::MetadataView>()) {
  (void)fs_.make_dir("/");
  for (std::int32_t i = 0; i < shards; ++i) {
    shards_.push_back(std::make_unique<Shard>());
    shards_.back()->name = fmt::format("{}-{}", runtime::GroupFamily::kTopic, i);
    shards_.back()->shadow = std::make_unique<coordinator::GroupCoordinator>(config_);
  }
}

Server::~Server() = default;

// ---- life ----

void Server::start() {
  logs_ =
      expect(storage::LogSet::open(fs_, {.dir = "/data", .node_id = 1, .new_cluster_id = "sim", .open_segments = 8}),
             "the data folder cannot be opened");
  storage::LogOptions options;
  options.durability = storage::Durability::kSync;
  options.segment_bytes = 16'384;
  options.checkpoint_bytes = 8'192;
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    Shard& shard = *shards_[i];
    const storage::LogId id{protocol::TopicName(runtime::GroupFamily::kTopic), protocol::TopicId(protocol::Uuid(7, 7)),
                            static_cast<std::int32_t>(i)};
    shard.log = expect(logs_->open_or_create(id, options), "a log cannot be opened");
    if (shard.log->durable_offset() < shard.shadow_end) {
      violated(fmt::format("{} ends at {} although it was durable up to {}", shard.name, shard.log->durable_offset(),
                           shard.shadow_end));
    }
    feed_shadow(shard);
    shard.core.emplace(shard.name, config_, *ids_, runtime::ShardLimits{}, topics_);
    shard.core->start(shard.effects);
    act(shard);
  }
  world_.trace("server up");
}

void Server::crash(bool power_loss) {
  ++life_;
  world_.count(power_loss ? "fault: power loss" : "fault: kill");
  world_.trace(power_loss ? "power loss" : "kill");
  for (auto& shard : shards_) {
    shard->core.reset();
    shard->effects.clear();
    shard->open.clear();
    shard->log.reset();
    shard->turn_open = false;
    shard->armed_for.reset();
  }
  if (power_loss)
    fs_.crash(world_.random);
  else
    fs_.kill();
  logs_.reset();
  fs_.clear_faults();
  fs_.set_free_bytes(std::nullopt);
}

void Server::break_disk() {
  using Op = storage::MemFs::Op;
  switch (world_.pick(0, 2)) {
    case 0:
      world_.count("fault: sync fails");
      return fs_.fail(Op::kSync, static_cast<std::uint64_t>(world_.pick(1, 3)), EIO);
    case 1:
      world_.count("fault: write fails");
      return fs_.fail(Op::kWrite, static_cast<std::uint64_t>(world_.pick(1, 3)), EIO);
    default:
      world_.count("fault: disk full");
      fs_.set_free_bytes(static_cast<std::uint64_t>(world_.pick(0, 300)));
      after(world_.delay(100, 5'000), [this] { fs_.set_free_bytes(std::nullopt); });
  }
}

void Server::set_topics(std::shared_ptr<const coordinator::MetadataView> topics) {
  topics_ = std::move(topics);
  world_.trace(fmt::format("metadata {}", topics_->version()));
  if (!is_up()) return;
  for (auto& shard : shards_) {
    shard->core->metadata_changed(topics_, world_.now(), shard->effects);
    act(*shard);
  }
}

void Server::after(Duration delay, std::function<void()> then) {
  world_.after(delay, [this, life = life_, then = std::move(then)] {
    if (life == life_) then();
  });
}

// ---- what Shard does ----

void Server::request(std::string_view group, coordinator::GroupRequest request, OnReply on_reply) {
  if (!is_up()) return;
  const auto partition = runtime::partition_for(group, static_cast<std::int32_t>(shards_.size()));
  Shard& shard = *shards_[static_cast<std::size_t>(partition)];
  const std::uint64_t call = next_call_++;
  shard.open.emplace(call, std::move(on_reply));
  shard.core->request(runtime::CallId(call), request, world_.now(), shard.effects);
  act(shard);
}

void Server::act(Shard& shard) {
  for (auto& released : shard.effects.released) {
    auto open = shard.open.extract(released.call.value());
    if (open.empty()) violated(fmt::format("{}: call {} was answered twice", shard.name, released.call.value()));
    after(world_.delay(0, 3),
          [on_reply = std::move(open.mapped()), response = std::move(released.response)] { on_reply(response); });
  }
  for (auto& job : shard.effects.jobs) {
    after(world_.delay(0, 20), [this, &shard, incarnation = job.incarnation, run = std::move(job.job.run)] {
      world_.count("job");
      shard.core->job_done(incarnation, run(), world_.now(), shard.effects);
      act(shard);
    });
  }
  const auto next_read = shard.effects.read;
  shard.effects.clear();
  if (next_read) read(shard, *next_read);
  if (shard.turn_open) return;
  shard.turn_open = true;
  after(Duration{0}, [this, &shard] { end_turn(shard); });
}

void Server::end_turn(Shard& shard) {
  shard.turn_open = false;
  if (auto next = shard.core->take_write()) write(shard, std::move(*next));
  if (shard.core->wants_slice()) {
    shard.core->load_slice(world_.now(), shard.effects);
    act(shard);
    if (shard.core->state() == runtime::ShardState::kFailed) {
      world_.count("shard failed to load");
    }
  }
  arm(shard);
  check(shard);
}

void Server::arm(Shard& shard) {
  const auto deadline = shard.core->next_deadline();
  if (!deadline || (shard.armed_for && *shard.armed_for <= *deadline)) return;
  shard.armed_for = deadline;
  after(std::max(*deadline - world_.now().mono, Duration{0}), [this, &shard, at = *deadline] {
    if (shard.armed_for == at) shard.armed_for.reset();
    shard.core->tick(world_.now(), shard.effects);
    act(shard);
  });
}

void Server::write(Shard& shard, runtime::ShardWrite write) {
  after(world_.delay(0, 10), [this, &shard, write = std::make_shared<runtime::ShardWrite>(std::move(write))] {
    Result<void> appended = shard.log->append(write->batch.view());
    after(world_.delay(0, 10), [this, &shard, incarnation = write->incarnation, done = std::move(appended)]() mutable {
      if (done) done = shard.log->sync();
      if (done) {
        feed_shadow(shard);
        shard.core->written(incarnation, shard.effects);
      } else {
        world_.count("write failed");
        shard.core->write_failed(incarnation, done.error(), shard.effects);
      }
      world_.trace(fmt::format("{} durable to {}", shard.name, shard.core->durable_end()));
      act(shard);
    });
  });
}

void Server::read(Shard& shard, runtime::ShardRead read) {
  after(world_.delay(0, 5), [this, &shard, read] {
    storage::Log& log = *shard.log;
    const Result<void> sealed = log.needs_seal() ? log.seal_at_durable() : Result<void>{};
    const std::int64_t end = log.durable_offset();
    auto result = sealed ? log.read(std::max(read.offset, log.start_offset()),
                                    static_cast<std::size_t>(world_.pick(1, 20'000)), end, true)
                         : std::unexpected(sealed.error());
    if (result) {
      shard.core->loaded(read.incarnation,
                         {.batches = result->batches, .next_offset = result->next_offset, .durable_end = end});
    } else {
      shard.core->load_failed(read.incarnation, result.error(), world_.now());
    }
    act(shard);
  });
}

// ---- rules ----

// From the log's bytes, not from what the core says it wrote.
void Server::feed_shadow(Shard& shard) {
  const std::int64_t end = shard.log->durable_offset();
  protocol::ByteBuffer scratch;
  while (shard.shadow_end < end) {
    const auto chunk = expect(shard.log->read(shard.shadow_end, 1 << 20, end, true), "what is durable cannot be read");
    protocol::BatchReader batches(chunk.batches.view());
    while (const auto batch = expect(batches.next(), "what is durable is damaged")) {
      const auto fed = protocol::for_each_record(*batch, 1 << 24, scratch, [&](const auto& record) -> Result<void> {
        const auto decoded = runtime::GroupFamily::decode(record.key, record.value);
        if (!decoded) return std::unexpected(decoded.error());
        if (!*decoded) return fail(ErrorKind::kUnsupported, "a record of an unknown type");
        world_.count(fmt::format("record: type {}", (*decoded)->index()));
        return shard.shadow->apply(**decoded, record.offset);
      });
      if (!fed) violated(fmt::format("{}: the log cannot be replayed: {}", shard.name, fed.error().message));
    }
    shard.shadow_end = chunk.next_offset;
  }
  const auto& groups = shard.shadow->state().consumer_groups;
  std::erase_if(shard.epochs, [&](const auto& known) { return !groups.contains(known.first); });
  for (const auto& [id, group] : groups) {
    std::int32_t& highest = shard.epochs[id.value()];
    if (group.epoch.value() < highest) violated(fmt::format("the epoch of {} fell to {}", id, group.epoch));
    highest = group.epoch.value();
  }
}

void Server::check(Shard& shard) {
  const coordinator::GroupCoordinator* live = shard.core->coordinator();
  const auto state = shard.core->state();
  if (live == nullptr || (state != runtime::ShardState::kActive && state != runtime::ShardState::kReadOnly)) return;
  for (const auto& [id, group] : live->state().consumer_groups) {
    std::set<std::pair<protocol::TopicId, std::int32_t>> owned;
    for (const auto& [member_id, member] : group.members) {
      if (member.epoch.value() > group.epoch.value()) violated(fmt::format("a member of {} is ahead of it", id));
      for (const auto* partitions : {&member.assigned, &member.pending_revocation}) {
        for (const auto& [topic, of_topic] : *partitions) {
          for (const auto& partition : of_topic) {
            if (!owned.emplace(topic, partition.partition).second) {
              violated(fmt::format("partition {} of {} has two owners", partition.partition, id));
            }
          }
        }
      }
    }
  }
  if (!shard.core->is_all_durable() || shard.core->durable_end() != shard.shadow_end) return;
  if (coordinator::dump(live->state()) != coordinator::dump(shard.shadow->state())) {
    violated(fmt::format("{}: the state is not what its records make:\n{}\nshadow:\n{}", shard.name,
                         coordinator::dump(live->state()), coordinator::dump(shard.shadow->state())));
  }
  world_.count("check: shadow");
}

}  // namespace cohort::sim
