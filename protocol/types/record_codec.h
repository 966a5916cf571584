// How coordinator records stand in the log: key = int16 record type + key message, value = int16 message version +
// value message. Used by the generated protocol/records/*_record.cc alone.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "protocol/base/result.h"
#include "protocol/records/group_metadata_value.h"
#include "protocol/records/offset_commit_value.h"
#include "protocol/wire/byte_reader.h"
#include "protocol/wire/byte_writer.h"

namespace cohort::protocol {

// The version in which Kafka 4.3.1 writes a value: the newest one, but for the two below.
template <typename Value>
std::int16_t written_version(const Value& value) {
  if constexpr (std::same_as<Value, OffsetCommitValue>) {
    // GroupCoordinatorRecordHelpers: only version 1 has an expire timestamp; old clients still send one.
    return value.expire_timestamp != OffsetCommitValue{}.expire_timestamp ? 1 : OffsetCommitValue::kMaxVersion;
  } else if constexpr (std::same_as<Value, GroupMetadataValue>) {
    return 3;  // GroupCoordinatorRecordHelpers.GROUP_METADATA_VALUE_VERSION
  } else {
    return Value::kMaxVersion;
  }
}

inline Result<std::int16_t> record_type(std::span<const std::byte> key) {
  ByteReader reader(key);
  const std::int16_t type = reader.int16();
  if (!reader.ok()) return fail(ErrorKind::kMalformed, "a record key has no type");
  return type;
}

std::unexpected<Error> unknown_record_type(std::int16_t type);
// Puts the message in front of the words of its reader or writer.
std::unexpected<Error> record_error(std::string_view message_name, Error error);

template <typename Variant, typename Record>
Result<Variant> parse_record(std::span<const std::byte> key, std::optional<std::span<const std::byte>> value) {
  Variant variant(std::in_place_type<Record>);
  Record& record = std::get<Record>(variant);
  using Value = typename decltype(record.value)::value_type;

  ByteReader key_reader(key.subspan(sizeof(std::int16_t)));
  read(key_reader, record.key, record.key.kMaxVersion);
  if (auto done = key_reader.finish(); !done) return record_error(record.key.kName, std::move(done.error()));
  if (!value) return variant;

  ByteReader reader(*value);
  const std::int16_t version = reader.int16();
  if (reader.ok()) read(reader, record.value.emplace(), version);
  if (auto done = reader.finish(); !done) return record_error(Value::kName, std::move(done.error()));
  return variant;
}

template <typename Record>
Result<bool> write_record(const Record& record, ByteBuffer& key, ByteBuffer& value) {
  ByteWriter key_writer(key);
  key_writer.int16(record.key.kRecordType);
  write(key_writer, record.key, record.key.kMaxVersion);
  if (auto done = key_writer.status(); !done) return record_error(record.key.kName, std::move(done.error()));
  if (!record.value) return false;

  ByteWriter writer(value);
  const std::int16_t version = written_version(*record.value);
  writer.int16(version);
  write(writer, *record.value, version);
  if (auto done = writer.status(); !done) return record_error(record.value->kName, std::move(done.error()));
  return true;
}

template <typename Record>
void append_record_line(std::string& line, const Record& record) {
  std::string_view name = record.key.kName;
  name.remove_suffix(std::string_view("Key").size());
  line.append(name).append(" ");
  append_json(line, record.key, record.key.kMaxVersion);
  line += " = ";
  if (record.value)
    append_json(line, *record.value, written_version(*record.value));
  else
    line += "tombstone";
}

}  // namespace cohort::protocol
