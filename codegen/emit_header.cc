#include <filesystem>

#include "codegen/cpp.h"
#include "codegen/emit.h"
#include "codegen/naming.h"

namespace cohort::codegen {
namespace {

std::string versions_text(VersionRange range, VersionRange all) {
  if (range.low == range.high) return fmt::format("version {}", range.low);
  if (range.high >= all.high) return fmt::format("versions {}+", range.low);
  return fmt::format("versions {}-{}", range.low, range.high);
}

void emit_fields(Code& code, const Message& message, const Struct& structure) {
  for (const Field& field : structure.fields) {
    code.comment(field.about);
    std::string note;
    if (field.versions != message.versions.intersect(structure.versions)) {
      note = versions_text(field.versions, message.versions);
    }
    if (field.tag) note += fmt::format("{}tag {}", note.empty() ? "" : ", ", *field.tag);
    if (field.is_nullable() && field.nullable != field.versions) {
      note += fmt::format("{}null in {}", note.empty() ? "" : ", ", versions_text(field.nullable, message.versions));
    }
    std::string value = default_expression(field, "");
    if (value != "{}") value = " = " + value;
    code.line("{} {}{};{}{}", member_type(field, ""), member_name(field.name), value, note.empty() ? "" : "  // ",
              note);
  }
  if (!message.flexible.empty()) code.line("TaggedFields unknown_tags{{}};");
  code.line("friend bool operator==(const {0}&, const {0}&) = default;", structure.name);
}

void emit_constants(Code& code, const Message& message) {
  code.line("static constexpr std::string_view kName = \"{}\";", message.name());
  if (message.type == MessageType::kRecordKey || message.type == MessageType::kRecordValue) {
    code.line("static constexpr std::int16_t kRecordType = {};", *message.api_key);
  } else if (message.api_key) {
    code.line("static constexpr std::int16_t kApiKey = {};", *message.api_key);
  }
  code.line("static constexpr std::int16_t kMinVersion = {};", message.versions.low);
  code.line("static constexpr std::int16_t kMaxVersion = {};", message.versions.high);
  const int stable = message.versions.high - (message.latest_version_unstable ? 1 : 0);
  code.line("static constexpr std::int16_t kLatestStable = {};", stable);
  code.line("static constexpr std::int16_t kFirstFlexible = {};  // 32767: none",
            message.flexible.empty() ? kMaxVersionNumber : message.flexible.low);
}

std::string structs_namespace(const Message& message) {
  return snake_case(message.name()) + "_structs";
}

// Not inside the message, which only names them: C++ does not let a class use the default values of a class nested in
// it (std::optional<Nested> would not be constructible).
void emit_structs(Code& code, const Message& message) {
  if (message.structs.empty()) return;
  code.line("namespace {} {{", structs_namespace(message));
  for (const Struct& structure : message.structs) {
    code.blank();
    code.comment(structure.about);
    code.open("struct {} {{", structure.name);
    emit_fields(code, message, structure);
    code.close("};");
  }
  code.blank();
  code.line("}}  // namespace {}", structs_namespace(message));
  code.blank();
}

}  // namespace

std::string include_stem(const Message& message) {
  return fmt::format("protocol/{}/{}", message.log.empty() ? "messages" : "records", snake_case(message.name()));
}

std::string emit_header(const Message& message) {
  Code code;
  code.line(fmt::runtime(kDoNotEdit), std::filesystem::path(message.file).filename().string());
  code.text("#pragma once");
  code.blank();
  code.text("#include <cstdint>");
  code.text("#include <optional>");
  code.text("#include <string>");
  code.text("#include <string_view>");
  code.text("#include <vector>");
  code.blank();
  code.text("#include \"protocol/types/uuid.h\"");
  code.text("#include \"protocol/wire/bytes.h\"");
  code.text("#include \"protocol/wire/records.h\"");
  code.text("#include \"protocol/wire/tagged_fields.h\"");
  code.text("#include \"protocol/wire/text.h\"");
  code.blank();
  code.text("namespace cohort::protocol {");
  code.blank();
  code.text("class ByteReader;");
  code.text("class ByteWriter;");
  code.blank();
  emit_structs(code, message);
  code.comment(message.body.about);
  code.open("struct {} {{", message.name());
  emit_constants(code, message);
  code.blank();
  for (const Struct& structure : message.structs) {
    code.line("using {} = {}::{};", structure.name, structs_namespace(message), structure.name);
  }
  if (!message.structs.empty()) code.blank();
  emit_fields(code, message, message.body);
  code.close("};");
  code.blank();
  code.text(
      "// Fields that the version does not have get their defaults. What was read borrows from the reader's bytes.");
  code.line("void read(ByteReader& reader, {}& message, std::int16_t version);", message.name());
  code.line("void write(ByteWriter& writer, const {}& message, std::int16_t version);", message.name());
  code.text("// As Kafka's JSON converters print it; for logs and tests.");
  code.line("void append_json(std::string& out, const {}& message, std::int16_t version);", message.name());
  code.blank();
  code.text("}  // namespace cohort::protocol");
  return code.str();
}

}  // namespace cohort::codegen
