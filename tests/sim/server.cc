#include "tests/sim/server.h"

#include <fmt/format.h>

#include <cerrno>
#include <utility>

#include "server/coordinator/core/find_group.h"
#include "server/runtime/partition_for.h"
#include "server/storage/compaction.h"
#include "tests/sim/rules.h"

namespace cohort::sim {
namespace {

// Where a group's last record or the last deletion stood: compaction may have taken it away, and a load then finds an
// earlier one. What rests on it is durable all the same.
std::string without_places(std::string text) {
  for (const std::string_view what : {" last record ", "last record ", " last deletion "}) {
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at)) {
      const std::size_t end = text.find_first_not_of("-0123456789", at + what.size());
      text.erase(at, std::min(end, text.size()) - at);
    }
  }
  return text;
}

// A timer fires with the turn that it wakes, and a turn may have to wait for another.
constexpr Duration kTimerSlack{100};
// A join waits for the others' rebalance timeouts, or its own as a new member; writes take a few milliseconds.
constexpr Duration kLongestWait = std::chrono::minutes{6};
// From `api` to the shard. The same for all, so that requests and views of the topics keep their order.
constexpr Duration kHop{1};

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

[[noreturn]] void violated(const std::string& text) {
  throw Violation(text);
}

// Whose session the request is about; empty: nobody's.
std::string sender_of(const coordinator::GroupRequest& request) {
  return std::visit(
      [](const auto& one) -> std::string {
        if constexpr (
            requires { one.request.member_epoch; } || requires { one.request.session_timeout_ms; } ||
            requires { one.request.generation_id; }) {
          return one.request.member_id.str();
        } else {
          return {};
        }
      },
      request);
}

template <typename T>
T expect(Result<T> result, std::string_view what) {
  if (!result) violated(fmt::format("{}: {}", what, result.error().message));
  return std::move(*result);
}

}  // namespace

struct Server::Shard {
  Shard(World& world, const config::GroupConfig& config, Ledger& ledger, const Catalogue& catalogue,
        const std::string& shard_name)
      : name(shard_name), shadow(world, config, ledger, catalogue, shard_name) {}

  const std::string name;
  std::shared_ptr<storage::Log> log;
  std::optional<Core> core;
  Core::Effects effects;
  struct OpenCall {
    OnReply on_reply;
    MonoTime since;
  };
  std::map<std::uint64_t, OpenCall> open;  // by call
  bool turn_open = false;
  bool was_compacted = false;  // ever
  std::optional<MonoTime> armed_for;

  std::shared_ptr<const coordinator::MetadataView> view;   // what the core knows of the topics
  runtime::ShardState state = runtime::ShardState::kIdle;  // as last seen
  MonoTime state_since;

  Shadow shadow;  // outlives crashes
};

Server::Server(World& world, config::GroupConfig config, Ledger& ledger, const Catalogue& catalogue,
               std::int32_t shards)
    : world_(world),
      config_(std::move(config)),
      catalogue_(catalogue),
      api_view_(catalogue.view()),
      ids_(std::make_unique<SeededIds>(world)) {
  (void)fs_.make_dir("/");
  for (std::int32_t i = 0; i < shards; ++i) {
    shards_.push_back(std::make_unique<Shard>(world, config_, ledger, catalogue,
                                              fmt::format("{}-{}", runtime::GroupFamily::kTopic, i)));
  }
}

Server::~Server() = default;

// ---- life ----

void Server::start() {
  logs_ =
      expect(storage::LogSet::open(fs_, {.dir = "/data", .node_id = 1, .new_cluster_id = "sim", .open_segments = 8}),
             "the data folder cannot be opened");
  storage::LogOptions options;
  api_view_ = catalogue_.view();
  options.durability = storage::Durability::kSync;
  options.one_batch_at_a_time = true;
  options.segment_bytes = 16'384;
  options.checkpoint_bytes = 8'192;
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    Shard& shard = *shards_[i];
    const storage::LogId id{protocol::TopicName(runtime::GroupFamily::kTopic), protocol::TopicId(protocol::Uuid(7, 7)),
                            static_cast<std::int32_t>(i)};
    shard.log = expect(logs_->open_or_create(id, options), "a log cannot be opened");
    shard.shadow.feed(*shard.log);
    shard.view = catalogue_.view();
    shard.core.emplace(shard.name, config_, *ids_, runtime::ShardLimits{}, shard.view);
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
    shard->state = runtime::ShardState::kIdle;
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

void Server::stop_disk_after(std::uint64_t operations) {
  world_.count("fault: disk stops");
  fs_.stop_after(operations);
}

void Server::topics_changed() {
  const auto view = catalogue_.view();
  world_.trace(fmt::format("metadata {}", view->version()));
  if (!is_up()) return;
  for (auto& shard : shards_) {
    after(kHop, [this, &shard = *shard, view] {
      shard.view = view;
      shard.core->metadata_changed(view, world_.now(), shard.effects);
      act(shard);
    });
  }
  after(world_.delay(0, 20), [this, view] {
    if (view->version() > api_view_->version()) api_view_ = view;
  });
}

void Server::after(Duration delay, std::function<void()> then) {
  world_.after(delay, [this, life = life_, then = std::move(then)] {
    if (life == life_) then();
  });
}

// ---- what Shard does ----

std::size_t Server::shard_of(std::string_view group) const {
  return static_cast<std::size_t>(runtime::partition_for(group, static_cast<std::int32_t>(shards_.size())));
}

void Server::request(std::string_view group, const coordinator::GroupRequest& request, OnReply on_reply) {
  request_of_shard(shard_of(group), request, std::move(on_reply));
}

void Server::request_of_shard(std::size_t number, const coordinator::GroupRequest& request, OnReply on_reply) {
  if (!is_up()) return;
  Shard& shard = *shards_[number];
  // The request is copied, and so owns its bytes.
  after(kHop, [this, &shard, request, on_reply = std::move(on_reply)]() mutable {
    if (const auto member = sender_of(request); !member.empty()) heard_[member] = world_.now().mono;
    const std::uint64_t call = next_call_++;
    shard.open.emplace(call, Shard::OpenCall{std::move(on_reply), world_.now().mono});
    shard.core->request(runtime::CallId(call), request, world_.now(), shard.effects);
    act(shard);
  });
}

void Server::act(Shard& shard) {
  note_state(shard);
  for (auto& released : shard.effects.released) {
    auto open = shard.open.extract(released.call.value());
    if (open.empty()) violated(fmt::format("{}: call {} was answered twice", shard.name, released.call.value()));
    shard.shadow.check_shown(released.response);
    // While it waited for the answer it could not be heard of.
    if (const auto* joined = std::get_if<protocol::JoinGroupResponse>(&released.response)) {
      heard_[joined->member_id.str()] = world_.now().mono;
    }
    after(world_.delay(0, 3), [on_reply = std::move(open.mapped().on_reply), response = std::move(released.response)] {
      on_reply(response);
    });
  }
  for (auto& job : shard.effects.jobs) {
    after(world_.delay(0, 20), [this, &shard, incarnation = job.incarnation, run = std::move(job.job.run)] {
      world_.count("job");
      shard.core->job_done(incarnation, run({}), world_.now(), shard.effects);
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
    if (!appended && appended.error().kind != ErrorKind::kIo) {
      violated(fmt::format("{} offers what its log must refuse: {}", shard.name, appended.error().message));
    }
    after(world_.delay(0, 10), [this, &shard, incarnation = write->incarnation, done = std::move(appended)]() mutable {
      if (done) done = shard.log->sync();
      if (done) {
        shard.shadow.feed(*shard.log);
        shard.core->written(incarnation, shard.effects);
        compact(shard);
      } else {
        world_.count("write failed");
        shard.core->write_failed(incarnation, done.error(), shard.effects);
      }
      world_.trace(fmt::format("{} durable to {}", shard.name, shard.core->durable_end()));
      act(shard);
    });
  });
}

// Between two writes, as its steps have their turn among the jobs of the log. Whoever loads from now on must come to
// what the shadow has, which was fed all that was ever written.
void Server::compact(Shard& shard) {
  if (!world_.chance(0.05)) return;
  const auto done =
      storage::compact(fs_, shard.log,
                       {.limit_offset = shard.log->durable_offset(),
                        .now_ms = world_.now().wall_ms,
                        .delete_retention_ms = world_.pick(0, 60'000),
                        .min_dirty_ratio = 0,
                        .map_bytes = static_cast<std::size_t>(world_.chance(0.5) ? world_.pick(300, 2'000) : 1'000'000),
                        .segment_bytes = 16'384},
                       [](std::move_only_function<Result<void>()> step) { return step(); });
  if (done && *done) {
    const auto closed = shard.log->closed_segments();
    const bool whole = closed.empty() || shard.log->cleaned_offset() >= closed.back()->summary.end_offset;
    world_.count(whole ? "compacted" : "compacted in part");
  }
  shard.was_compacted = true;  // as far as it came
  world_.trace(fmt::format("{} compacted: {}", shard.name, done ? (*done ? "yes" : "no") : done.error().message));
}

void Server::read(Shard& shard, runtime::ShardRead read) {
  after(world_.delay(0, 5), [this, &shard, read] {
    storage::Log& log = *shard.log;
    const Result<void> sealed = log.needs_seal() ? log.seal() : Result<void>{};
    const std::int64_t end = log.durable_offset();
    auto result = sealed ? log.read(std::max(read.offset, log.start_offset()),
                                    static_cast<std::size_t>(world_.pick(1, 20'000)), end, true)
                         : std::unexpected(sealed.error());
    if (result) {
      shard.core->loaded(read.incarnation,
                         {.batches = result->batches.bytes(), .next_offset = result->next_offset, .durable_end = end});
    } else {
      shard.core->load_failed(read.incarnation, result.error(), world_.now());
    }
    act(shard);
  });
}

// ---- rules ----

// Before and after a load slice too: a shard may load within one turn.
void Server::note_state(Shard& shard) {
  const auto state = shard.core->state();
  if (state == shard.state) return;
  world_.count(fmt::format("shard: {} -> {}", runtime::name_of(shard.state), runtime::name_of(state)));
  const bool is_loaded = state == runtime::ShardState::kActive || state == runtime::ShardState::kReadOnly;
  if (is_loaded && shard.state == runtime::ShardState::kLoading) {
    check_loaded_rounds(shard.core->coordinator()->state());
  }
  shard.state = state;
  shard.state_since = world_.now().mono;
}

void Server::check(Shard& shard) {
  const coordinator::GroupCoordinator* live = shard.core->coordinator();
  const auto state = shard.core->state();
  const bool is_active = state == runtime::ShardState::kActive;
  if (live == nullptr || (!is_active && state != runtime::ShardState::kReadOnly)) return;
  check_groups(live->state());
  check_rounds(live->state());
  if (shard.view == catalogue_.view()) check_no_leftovers(live->state(), *shard.view);
  if (is_active) {  // no timer runs in the other
    check_answers(shard);
    check_round_deadlines(live->state(), world_.now().mono, kTimerSlack);
    check_sessions(live->state(), config_, world_.now().mono, kTimerSlack, [&](const std::string& member) {
      // A classic member's id is made by the server: it is there before anybody can send anything with it.
      const MonoTime heard = heard_.try_emplace(member, world_.now().mono).first->second;
      return std::max(heard, shard.state_since);
    });
  }
  if (!shard.core->is_all_durable() || shard.core->durable_end() != shard.shadow.end()) return;
  const std::string ours = coordinator::dump(live->state());
  const std::string shadows = coordinator::dump(shard.shadow.state());
  const bool is_same = shard.was_compacted ? without_places(ours) == without_places(shadows) : ours == shadows;
  if (!is_same) {
    violated(fmt::format("{}: the state is not what its records make:\n{}\nshadow:\n{}", shard.name, ours, shadows));
  }
  world_.count("check: shadow");
}

// Calls get their numbers in the order in which they come. The longest wait is a new member's, for the end of a
// rebalance.
void Server::check_answers(const Shard& shard) const {
  if (shard.open.empty()) return;
  const Duration waited = world_.now().mono - std::max(shard.open.begin()->second.since, shard.state_since);
  if (waited > kLongestWait) violated(fmt::format("{}: a call waits since {} ms", shard.name, waited.count()));
}

const Shadow& Server::shadow_of(std::string_view group) {
  return shards_[shard_of(group)]->shadow;
}

bool Server::has_member(std::string_view group, std::string_view member) {
  const Shard& shard = *shards_[shard_of(group)];
  if (!shard.core || shard.core->coordinator() == nullptr) return false;
  const coordinator::FoundGroup found = coordinator::find_group(shard.core->coordinator()->state(), group);
  return (found.consumer != nullptr && found.consumer->find_member(member) != nullptr) ||
         (found.round != nullptr && found.round->find(member) != nullptr);
}

}  // namespace cohort::sim
