#include "server/topics/recompress.h"

#include <vector>

#include "protocol/batch/batch_builder.h"
#include "protocol/batch/record.h"

namespace cohort::topics {

Result<protocol::ByteBuffer> recompress(const protocol::BatchView& batch, protocol::Compression target,
                                        std::size_t max_decompressed_bytes) {
  protocol::BatchBuilder builder(batch.bytes().size());
  protocol::BatchOptions options;
  options.base_offset = batch.base_offset();
  options.partition_leader_epoch = batch.partition_leader_epoch();
  options.compression = target;
  options.is_transactional = batch.is_transactional();
  options.producer_id = batch.producer_id();
  options.producer_epoch = batch.producer_epoch();
  options.base_sequence = batch.base_sequence();
  builder.start(options);
  protocol::ByteBuffer scratch;
  std::vector<protocol::RecordHeader> headers;
  const auto copied =
      protocol::for_each_record(batch, max_decompressed_bytes, scratch, [&](const protocol::RecordView& record) {
        headers.clear();
        for (const protocol::RecordHeader& header : record.headers) headers.push_back(header);
        builder.append(record.timestamp_ms, record.key, record.value, headers);
      });
  if (!copied) return std::unexpected(copied.error());
  return builder.release();
}

}  // namespace cohort::topics
