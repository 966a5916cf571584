// Where a classic group ends or begins because the group changes its protocol (consumer/migration.h).
#include <utility>

#include "server/coordinator/classic/consumer_metadata.h"
#include "server/coordinator/classic/internal.h"

namespace cohort::coordinator {

void cancel_round_timers(const Step& step, std::string_view group) {
  cancel_timers(*find_round(step, group));
}

void end_round(const Step& step, std::string_view group, protocol::ErrorCode error) {
  const auto at = find_round(step, group);
  at->round.for_each([&](RoundMember& member) {
    fail_join(*at, member, member.id.value(), error);
    fail_sync(*at, member, error);
  });
}

void begin_classic_group(const Step& step, std::string_view id, const ConsumerGroup& group,
                         std::span<const ConsumerMember* const> members) {
  Round& round = step.state.soft.rounds[id] = Round();
  for (const ConsumerMember* from : members) {
    RoundMember member;
    member.id = from->id;
    member.instance_id = from->instance_id;
    member.client_id = from->client_id;
    member.client_host = from->client_host;
    member.rebalance_timeout_ms = from->rebalance_timeout_ms;
    member.session_timeout_ms = from->classic->session_timeout_ms;
    member.protocols = protocols_of(*from->classic);
    round.add(std::move(member), kConsumerProtocolType);
  }
  round.adopt_generation(protocol::GenerationId(group.epoch.value()), step.context.now.wall_ms);
  // What they may be reading, not what they were to get: Kafka 4.3.1 writes the target. Were the group turned into a
  // consumer group again before they have joined, the rest of what they have would be given to others at once.
  for (const ConsumerMember* from : members) {
    RoundMember& member = *round.find(from->id.value());
    const protocol::Bytes subscription = member.metadata(*round.protocol());
    member.assignment = write_assignment(responsible_for(*from), subscription.view(), *step.context.metadata);
  }
  const RoundStep at{step, id, round, group.last_record};
  step.output.records.push_back(leaderless_group_record(at));
  round.for_each([&](RoundMember& member) { restart_session(at, member); });
  prepare_rebalance(at, "the last member of the consumer protocol has left");
}

}  // namespace cohort::coordinator
