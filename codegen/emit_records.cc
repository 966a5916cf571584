#include <map>

#include "codegen/emit.h"
#include "codegen/naming.h"

namespace cohort::codegen {
namespace {

struct RecordType {
  std::string name;  // "OffsetCommitRecord"
  const Message* key = nullptr;
  const Message* value = nullptr;
};

std::map<int, RecordType> record_types(const std::string& log, const std::vector<Message>& messages) {
  std::map<int, RecordType> types;
  for (const Message& message : messages) {
    if (message.log != log) continue;
    RecordType& type = types[*message.api_key];
    if (message.type == MessageType::kRecordKey) {
      type.key = &message;
      type.name = message.name().substr(0, message.name().size() - std::string_view("Key").size()) + "Record";
    } else {
      type.value = &message;
    }
  }
  return types;
}

}  // namespace

std::string emit_record_header(const std::string& log, const std::vector<Message>& messages) {
  const auto types = record_types(log, messages);
  const std::string variant = pascal_case(log) + "Record";
  Code code;
  code.line("// Made by codegen from schemas/records/{}. Do not edit.", log);
  code.text("#pragma once");
  code.blank();
  code.text("#include <cstddef>");
  code.text("#include <optional>");
  code.text("#include <span>");
  code.text("#include <string>");
  code.text("#include <variant>");
  code.blank();
  code.text("#include \"protocol/base/result.h\"");
  for (const auto& [id, type] : types) {
    code.line("#include \"{}.h\"", include_stem(*type.key));
    code.line("#include \"{}.h\"", include_stem(*type.value));
  }
  code.blank();
  code.text("namespace cohort::protocol {");
  code.blank();
  code.text("class ByteBuffer;");
  code.blank();
  code.text("// One struct per record type. Without a value it is a tombstone: the key is gone.");
  for (const auto& [id, type] : types) {
    code.open("struct {} {{", type.name);
    code.line("{} key;", type.key->name());
    code.line("std::optional<{}> value{{}};", type.value->name());
    code.line("friend bool operator==(const {0}&, const {0}&) = default;", type.name);
    code.close("};");
  }
  code.blank();
  std::string alternatives;
  for (const auto& [id, type] : types) alternatives += (alternatives.empty() ? "" : ", ") + type.name;
  code.line("using {} = std::variant<{}>;", variant, alternatives);
  code.blank();
  code.text("// What stands in the log: key and value of one record. value is empty for a tombstone.");
  code.text(
      "// kUnsupported: a record type or value version of a newer program; kMalformed: bytes that are none of it.");
  code.text("// The record borrows from both spans; a copy of it owns its bytes.");
  code.line(
      "Result<{}> parse_{}_record(std::span<const std::byte> key, std::optional<std::span<const std::byte>> value);",
      variant, log);
  code.text(
      "// Appends key and value. True: there is a value; false: a tombstone. kInvalid: the record cannot be written.");
  code.line("Result<bool> write_{}_record(const {}& record, ByteBuffer& key, ByteBuffer& value);", log, variant);
  code.text("// One line for logs: the type, the key and the value as JSON.");
  code.line("std::string to_line(const {}& record);", variant);
  code.blank();
  code.text("}  // namespace cohort::protocol");
  return code.str();
}

std::string emit_record_source(const std::string& log, const std::vector<Message>& messages) {
  const auto types = record_types(log, messages);
  const std::string variant = pascal_case(log) + "Record";
  Code code;
  code.line("// Made by codegen from schemas/records/{}. Do not edit.", log);
  code.line("#include \"protocol/records/{}_record.h\"", log);
  code.blank();
  code.text("#include \"protocol/types/record_codec.h\"");
  code.blank();
  code.text("namespace cohort::protocol {");
  code.blank();
  code.open(
      "Result<{}> parse_{}_record(std::span<const std::byte> key, std::optional<std::span<const std::byte>> value) {{",
      variant, log);
  code.text("const auto type = record_type(key);");
  code.text("if (!type) return std::unexpected(type.error());");
  code.open("switch (*type) {{");
  for (const auto& [id, type] : types)
    code.line("case {}: return parse_record<{}, {}>(key, value);", id, variant, type.name);
  code.text("default: return unknown_record_type(*type);");
  code.close();
  code.close();
  code.blank();
  code.open("Result<bool> write_{}_record(const {}& record, ByteBuffer& key, ByteBuffer& value) {{", log, variant);
  code.text("return std::visit([&](const auto& one) { return write_record(one, key, value); }, record);");
  code.close();
  code.blank();
  code.open("std::string to_line(const {}& record) {{", variant);
  code.open("return std::visit([](const auto& one) {{");
  code.text("std::string line;");
  code.text("append_record_line(line, one);");
  code.text("return line;");
  code.close("}, record);");
  code.close();
  code.blank();
  code.text("}  // namespace cohort::protocol");
  return code.str();
}

}  // namespace cohort::codegen
