#include "server/topics/fetch_home.h"

#include <algorithm>
#include <utility>

#include "protocol/batch/record_batch.h"
#include "server/reactor/reactor.h"
#include "server/storage/file_region.h"

namespace cohort::topics {

using protocol::ErrorCode;

namespace {

// What a fetch that waits may keep of what it has read. With more it reads again when it is answered: many that wait
// for much would pin it all.
constexpr std::size_t kKeepBytes = std::size_t{64} << 10;

std::size_t fitting_batches(std::span<const std::byte> bytes, std::size_t limit, bool at_least_one) {
  std::size_t end = 0;
  while (end < bytes.size()) {
    const auto header = protocol::parse_batch_header(bytes.subspan(end));
    if (!header) break;
    const std::size_t next = end + header->size_in_bytes();
    if (next > bytes.size() || (next > limit && !(at_least_one && end == 0))) break;
    end = next;
  }
  return end;
}

// The whole batches at the front that fit; with at_least_one the first one even if it does not. None when the file
// cannot be read: who asks again gets the error.
protocol::Records whole_batches(const protocol::Records& records, std::size_t limit, bool at_least_one) {
  const protocol::FileRegion* region = records.region();
  if (region == nullptr) {
    const std::size_t keep = fitting_batches(records.view(), limit, at_least_one);
    return keep == 0 ? protocol::Bytes{} : protocol::Bytes::slice(records.bytes().owner(), records.view().first(keep));
  }
  const std::size_t keep = storage::fitting_batches(*region, limit, at_least_one).value_or(0);
  return protocol::FileRegion{region->owner, region->descriptor, region->position, keep};
}

}  // namespace

void cut_to_budget(const FetchCall& call, std::size_t max_bytes, std::vector<FetchedPartition>& results) {
  std::size_t room = max_bytes;
  bool first = true;
  for (std::size_t i = 0; i < results.size(); ++i) {
    protocol::Records& records = results[i].records;
    if (records.empty()) continue;
    const std::size_t limit = std::min(room, static_cast<std::size_t>(std::max(call.partitions[i].max_bytes, 0)));
    if (records.size() > limit) records = whole_batches(records, limit, first);
    if (!records.empty()) first = false;
    room -= std::min(room, records.size());
  }
}

FetchHome::FetchHome(reactor::Reactor& reactor, Links links, std::int32_t max_bytes)
    : reactor_(reactor),
      links_(std::move(links)),
      max_bytes_(static_cast<std::size_t>(max_bytes)),
      timer_(reactor, [this] { on_deadline(); }) {}

std::uint64_t FetchHome::start(FetchCall call, Done done) {
  const std::uint64_t id = ++last_id_;
  auto owned = std::make_unique<Fetch>();
  Fetch& fetch = *owned;
  fetch.call = std::move(call);
  // KafkaApis.handleFetchRequest: more than the answer may hold is not waited for.
  fetch.max_bytes = std::min(max_bytes_, static_cast<std::size_t>(std::max(fetch.call.max_bytes, 0)));
  fetch.min_bytes = std::min(fetch.max_bytes, static_cast<std::size_t>(std::max(fetch.call.min_bytes, 0)));
  fetch.done = std::move(done);
  fetch.results.resize(fetch.call.partitions.size());
  fetch.deadline = reactor_.now().mono + Duration{std::max(fetch.call.max_wait_ms, 0)};
  fetches_.emplace(id, std::move(owned));

  // 1. One part for each reactor.
  std::vector<std::size_t> part_of_reactor;
  for (std::size_t i = 0; i < fetch.call.partitions.size(); ++i) {
    const std::size_t reactor = links_.reactor_of(fetch.call.partitions[i].id);
    if (reactor >= part_of_reactor.size()) part_of_reactor.resize(reactor + 1, SIZE_MAX);
    if (part_of_reactor[reactor] == SIZE_MAX) {
      part_of_reactor[reactor] = fetch.parts.size();
      fetch.parts.emplace_back().reactor = reactor;
    }
    fetch.parts[part_of_reactor[reactor]].indexes.push_back(i);
  }

  // 2. All of them read, and park if they find too little.
  const std::size_t min_bytes = fetch.call.max_wait_ms > 0 ? fetch.min_bytes : 0;
  const std::size_t count = fetch.parts.size();
  for (std::size_t p = 0; p < count; ++p) {
    FetchPart part{.home = reactor_.index(),
                   .fetch_id = id,
                   .part = p,
                   .min_bytes = min_bytes,
                   .tell_progress = count > 1 && min_bytes > 1,
                   .max_bytes = fetch.max_bytes,
                   .partitions = {}};
    part.partitions.reserve(fetch.parts[p].indexes.size());
    for (const std::size_t index : fetch.parts[p].indexes) part.partitions.push_back(fetch.call.partitions[index]);
    links_.fetch(fetch.parts[p].reactor, std::move(part));
  }
  fetch.starting = false;
  // 3. All parts were here, or nothing was asked at all: the answer takes a message, too.
  if (std::ranges::none_of(fetch.parts, &Part::outstanding)) reactor_.send([this, id] { settle(id); });
  return id;
}

void FetchHome::on_result(std::uint64_t fetch_id, std::size_t part_index, FetchPartResult result) {
  const auto found = fetches_.find(fetch_id);
  if (found == fetches_.end()) return;
  Fetch& fetch = *found->second;
  Part& part = fetch.parts[part_index];
  part.outstanding = false;
  part.parked = result.parked;
  part.bytes = 0;
  for (std::size_t i = 0; i < part.indexes.size(); ++i) {
    FetchedPartition& partition = result.partitions[i];
    part.bytes += partition.records.size();
    fetch.urgent = fetch.urgent || partition.is_urgent();
    fetch.results[part.indexes[i]] = std::move(partition);
  }
  if (!fetch.starting) settle(fetch_id);
}

void FetchHome::on_gone(std::uint64_t fetch_id, std::size_t part_index) {
  const auto found = fetches_.find(fetch_id);
  if (found == fetches_.end()) return;
  found->second->parts[part_index].outstanding = false;
  settle(fetch_id);
}

void FetchHome::on_progress(std::uint64_t fetch_id, std::size_t part_index, std::size_t bytes) {
  const auto found = fetches_.find(fetch_id);
  if (found == fetches_.end()) return;
  Fetch& fetch = *found->second;
  if (!fetch.parts[part_index].parked) return;
  fetch.parts[part_index].bytes = bytes;
  std::size_t sum = 0;
  for (const Part& part : fetch.parts) sum += part.bytes;
  if (sum >= fetch.min_bytes) finish(fetch_id, fetch);
}

// Answers, waits, or fetches what parked parts have got.
void FetchHome::settle(std::uint64_t fetch_id) {
  const auto found = fetches_.find(fetch_id);
  if (found == fetches_.end()) return;
  Fetch& fetch = *found->second;
  if (std::ranges::any_of(fetch.parts, &Part::outstanding)) return;
  std::size_t read = 0;
  for (const FetchedPartition& partition : fetch.results) read += partition.records.size();
  const bool any_parked = std::ranges::any_of(fetch.parts, &Part::parked);
  const bool enough = fetch.urgent || read >= fetch.min_bytes;
  if (!any_parked || (enough && !fetch.dropped)) return answer(fetch_id);
  // A part that is not parked any more is watched by nobody: no more waiting then.
  if (ending_ || !std::ranges::all_of(fetch.parts, &Part::parked) || reactor_.now().mono >= fetch.deadline) {
    return finish(fetch_id, fetch);
  }
  if (fetch.waiting) return;
  if (read > kKeepBytes) {
    for (FetchedPartition& partition : fetch.results) partition.records = {};
    fetch.dropped = true;
  }
  fetch.waiting = true;
  deadlines_.emplace(fetch.deadline, fetch_id);
  arm();
}

// Everything that is parked reads once more.
void FetchHome::finish(std::uint64_t fetch_id, Fetch& fetch) {
  std::vector<std::pair<std::size_t, std::size_t>> asked;  // reactor, part
  for (std::size_t p = 0; p < fetch.parts.size(); ++p) {
    Part& part = fetch.parts[p];
    if (!part.parked) continue;
    part.parked = false;
    part.outstanding = true;
    asked.emplace_back(part.reactor, p);
  }
  // The last of these may answer and end the fetch.
  for (const auto& [reactor, part] : asked) links_.finish(reactor, fetch_id, part);
}

std::unique_ptr<FetchHome::Fetch> FetchHome::take(std::uint64_t fetch_id) {
  const auto found = fetches_.find(fetch_id);
  if (found == fetches_.end()) return nullptr;
  std::unique_ptr<Fetch> fetch = std::move(found->second);
  fetches_.erase(found);
  if (fetch->waiting) {
    const auto [first, last] = deadlines_.equal_range(fetch->deadline);
    const auto at = std::find_if(first, last, [&](const auto& item) { return item.second == fetch_id; });
    if (at != last) deadlines_.erase(at);
  }
  // A read that is still on its way parks before this reaches it.
  for (const Part& part : fetch->parts) {
    if (part.parked || part.outstanding) links_.cancel(part.reactor, fetch_id);
  }
  return fetch;
}

void FetchHome::answer(std::uint64_t fetch_id) {
  const std::unique_ptr<Fetch> fetch = take(fetch_id);
  if (fetch->parts.size() > 1) {
    cut_to_budget(fetch->call, fetch->max_bytes, fetch->results);
  }
  fetch->done(std::move(fetch->results));
}

void FetchHome::cancel(std::uint64_t fetch_id) {
  take(fetch_id);
}

void FetchHome::end_waiting() {
  ending_ = true;
  timer_.cancel();
  for (const auto& [deadline, id] : std::exchange(deadlines_, {})) {
    const auto found = fetches_.find(id);
    if (found == fetches_.end()) continue;
    found->second->waiting = false;
    finish(id, *found->second);
  }
}

void FetchHome::arm() {
  if (!deadlines_.empty()) timer_.set(deadlines_.begin()->first);
}

void FetchHome::on_deadline() {
  const MonoTime now = reactor_.now().mono;
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const std::uint64_t id = deadlines_.begin()->second;
    deadlines_.erase(deadlines_.begin());
    const auto found = fetches_.find(id);
    if (found == fetches_.end()) continue;
    found->second->waiting = false;
    finish(id, *found->second);
  }
  arm();
}

}  // namespace cohort::topics
