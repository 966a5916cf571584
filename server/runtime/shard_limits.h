// The bounds of one shard. `app` takes them as they are here, for all shards; tests take smaller ones.
#pragma once

#include <cstddef>

#include "protocol/base/time.h"

namespace cohort::runtime {

struct ShardLimits {
  // The largest batch, header included, and so the most that one request may write. Kafka: max.message.bytes of the
  // internal topic. Never above the log's own window of unsynced bytes.
  std::size_t max_batch_bytes = (1u << 20) + 12;
  // Batches that are not durable yet, the one being written included. Over it, requests that write are refused.
  std::size_t max_waiting_bytes = 16u << 20;
  // Requests that wait in the shard. Over it, requests are refused.
  std::size_t max_open_requests = 100'000;
  // What one slice of a load may apply, and one turn may fire: about a millisecond of the reactor's time.
  std::size_t load_slice_records = 500;
  std::size_t timers_per_turn = 256;
  // After the second failed write in a row: how long the shard only reads before it tries to write again. Doubles with
  // each further failure up to the maximum.
  Duration retry_backoff = Duration{1'000};
  Duration max_retry_backoff = Duration{30'000};
};

}  // namespace cohort::runtime
