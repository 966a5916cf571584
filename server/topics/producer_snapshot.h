// A partition's producer state in a file of its own, so that a start reads only the end of the log. The file lies in
// the log's folder and is called after the offset that it stands for: 20 digits and .producers.
// Why at all: measured, 64 MiB of batches with 16 KiB each take some 55 ms to read through, so a partition of a few GiB
// would hold up a start for seconds.
// Functions without state; the file functions block: log threads or start-up only.
//
// Why not Kafka's .snapshot files: they keep one batch of each producer, and a repeat of an earlier one would be
// refused after a restart.
//
// Format, all numbers big-endian: 8 bytes "cohprod1", int64 offset, int32 count, then for each producer int64 id,
// int16 epoch, int64 last append (ms), int8 batches, then for each batch int32 first and last sequence, int64 first and
// last offset, int64 max timestamp; at the end the CRC-32C of all before.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/result.h"
#include "server/topics/producer_state.h"

namespace cohort::storage {
class Fs;
}

namespace cohort::topics {

std::string encode_producers(const ProducerTable& producers, std::int64_t offset);
// Adds the producers to `into` and gives the offset. kCorrupt: not what encode_producers made.
Result<std::int64_t> decode_producers(std::span<const std::byte> bytes, ProducerTable& into);

// Durable when it returns. Older snapshots of the folder are removed, but for the newest of them. expendable: as in
// storage::replace_file().
Result<void> save_producers(storage::Fs& fs, const std::string& dir, std::string_view encoded, std::int64_t offset,
                            const std::vector<std::string>& expendable = {});
// The newest snapshot at an offset in [first, last] that can be read; its producers are added to `into`. Damaged ones
// are passed over: the log has it all. Those above `last` speak of records that the log has lost, and go before others
// are written at their offsets.
Result<std::optional<std::int64_t>> load_producers(storage::Fs& fs, const std::string& dir, std::int64_t first,
                                                   std::int64_t last, ProducerTable& into);

}  // namespace cohort::topics
