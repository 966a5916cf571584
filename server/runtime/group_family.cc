#include "server/runtime/group_family.h"

namespace cohort::runtime {

Result<std::optional<GroupFamily::Record>> GroupFamily::decode(protocol::NullableSpan key,
                                                               protocol::NullableSpan value) {
  if (!key) return fail(ErrorKind::kMalformed, "it has no key");
  auto record = protocol::parse_group_record(*key, value);
  if (record) return std::move(*record);
  // A type of a newer version is skipped; a newer version of a known type is an error, as in Kafka: what it says of a
  // group would be missed. As a tombstone only the type can be unknown.
  if (record.error().kind == ErrorKind::kUnsupported) {
    const auto type_alone = protocol::parse_group_record(*key, std::nullopt);
    if (!type_alone && type_alone.error().kind == ErrorKind::kUnsupported) return std::nullopt;
  }
  return std::unexpected(std::move(record.error()));
}

}  // namespace cohort::runtime
