#include <algorithm>

#include "codegen/cpp.h"
#include "codegen/emit.h"
#include "codegen/naming.h"

namespace cohort::codegen {
namespace {

std::string write_scalar(Kind kind, const std::string& value, const std::string& compact) {
  switch (kind) {
    case Kind::kBool:
      return fmt::format("writer.boolean({});", value);
    case Kind::kInt8:
      return fmt::format("writer.int8({});", value);
    case Kind::kInt16:
      return fmt::format("writer.int16({});", value);
    case Kind::kUint16:
      return fmt::format("writer.uint16({});", value);
    case Kind::kInt32:
      return fmt::format("writer.int32({});", value);
    case Kind::kUint32:
      return fmt::format("writer.uint32({});", value);
    case Kind::kInt64:
      return fmt::format("writer.int64({});", value);
    case Kind::kFloat64:
      return fmt::format("writer.float64({});", value);
    case Kind::kUuid:
      return fmt::format("writer.uuid({});", value);
    case Kind::kString:
      return fmt::format("writer.string({}, {});", value, compact);
    case Kind::kBytes:
      return fmt::format("writer.bytes({}.view(), {});", value, compact);
    case Kind::kRecords:
      return fmt::format("writer.records({}, {});", value, compact);
    case Kind::kStruct:
      return fmt::format("write_struct(writer, {}, version);", value);
  }
  return "";
}

// value: an expression of the element or vector itself, never of an optional.
void write_plain(Code& code, const Field& field, const std::string& value, const std::string& compact) {
  if (!field.type.is_array) return code.text(write_scalar(field.type.kind, value, compact));
  code.line("writer.array_count({}.size(), {});", value, compact);
  code.line("for (const auto& element : {}) {}", value, write_scalar(field.type.kind, "element", compact));
}

// Of the writer's functions for what has a size in front.
std::string_view blob_name(Kind kind) {
  switch (kind) {
    case Kind::kString:
      return "string";
    case Kind::kRecords:
      return "records";
    default:
      return "bytes";
  }
}

void write_null(Code& code, const Field& field, const std::string& compact) {
  if (field.type.is_array) return code.line("writer.null_array({});", compact);
  if (field.type.kind == Kind::kStruct) {
    return code.line("writer.{}(false);", field.tag ? "tagged_struct_is_present" : "struct_is_present");
  }
  code.line("writer.nullable_{}(std::nullopt, {});", blob_name(field.type.kind), compact);
}

void write_value(Code& code, const Message& message, const Struct& structure, const Field& field) {
  const std::string member = "message." + member_name(field.name);
  const std::string compact = compact_condition(message, structure, field);
  if (!field.is_nullable()) return write_plain(code, field, member, compact);

  const std::string null = version_condition(field.nullable, field.versions);
  const bool is_blob = !field.type.is_array && field.type.kind != Kind::kStruct;
  if (null == "true" && is_blob) {
    return code.line("writer.nullable_{}({}, {});", blob_name(field.type.kind), member, compact);
  }
  code.open("if ({}.has_value()) {{", member);
  if (field.type.kind == Kind::kStruct && !field.type.is_array) {
    const std::string mark =
        fmt::format("writer.{}(true);", field.tag ? "tagged_struct_is_present" : "struct_is_present");
    if (null == "true")
      code.text(mark);
    else
      code.line("if ({}) {}", null, mark);
  }
  write_plain(code, field, "(*" + member + ")", compact);
  code.otherwise();
  if (null != "true") {
    code.line("if (!({})) writer.fail(\"{}.{} is null, which this version does not allow\");", null,
              qualified(message, structure), field.name);
  }
  write_null(code, field, compact);
  code.close();
}

// A value that the version cannot carry must not be lost silently, unless the schema says that it may be.
void refuse_if_set(Code& code, const Message& message, const Struct& structure, const Field& field) {
  code.line("if (!({})) writer.fail(\"{}.{} is set, which this version does not have\");",
            is_default(field, "message." + member_name(field.name), scope_of(message)), qualified(message, structure),
            field.name);
}

void write_tagged(Code& code, const Message& message, const Struct& structure) {
  const std::string scope = scope_of(message);
  std::vector<const Field*> tagged;
  for (const Field& field : structure.fields) {
    if (field.tag) tagged.push_back(&field);
  }
  std::ranges::sort(tagged, {}, [](const Field* field) { return *field->tag; });

  if (tagged.empty()) {
    code.text("write_unknown_tags(writer, message.unknown_tags);");
    return;
  }
  const auto set_flag = [](const Field& field) { return "has_" + snake_case(field.name); };
  std::string count = "message.unknown_tags.size()";
  for (const Field* field : tagged) {
    const std::string present = version_condition(field->versions, structure.versions.intersect(message.flexible));
    code.line("const bool {} = {}!({});", set_flag(*field), present == "true" ? "" : fmt::format("({}) && ", present),
              is_default(*field, "message." + member_name(field->name), scope));
    if (present != "true" && !field->ignorable) {
      code.open("if (!({})) {{", present);
      refuse_if_set(code, message, structure, *field);
      code.close();
    }
    count += fmt::format(" + {}", set_flag(*field));
  }
  code.line("writer.unsigned_varint(static_cast<std::uint32_t>({}));", count);
  code.text("std::size_t unknown = 0;");
  for (const Field* field : tagged) {
    code.open("if ({}) {{", set_flag(*field));
    code.line("unknown = writer.unknown_tags(message.unknown_tags.view(), unknown, {});", *field->tag);
    code.line("const std::size_t begin = writer.begin_tag({});", *field->tag);
    write_value(code, message, structure, *field);
    code.text("writer.end_tag(begin);");
    code.close();
  }
  code.text("writer.unknown_tags(message.unknown_tags.view(), unknown, kNoTagLimit);");
}

void refuse_tagged(Code& code, const Message& message, const Struct& structure) {
  for (const Field& field : structure.fields) {
    if (field.tag && !field.ignorable) refuse_if_set(code, message, structure, field);
  }
  code.line(
      "if (!message.unknown_tags.empty()) writer.fail(\"{} has tagged fields, which this version does not allow\");",
      qualified(message, structure));
}

}  // namespace

void emit_write(Code& code, const Message& message, const Struct& structure) {
  const std::string flexible = version_condition(message.flexible, structure.versions);
  code.open(
      "static void write_struct({0}ByteWriter& writer, {0}const {1}& message, [[maybe_unused]] std::int16_t version) "
      "{{",
      unused_mark(message, structure), qualified(message, structure));
  if (flexible != "true" && flexible != "false") code.line("const bool flexible = {};", flexible);
  for (const Field& field : structure.fields) {
    if (field.tag) continue;
    const std::string present = version_condition(field.versions, structure.versions);
    if (present == "true") {
      write_value(code, message, structure, field);
      continue;
    }
    code.open("if ({}) {{", present);
    write_value(code, message, structure, field);
    if (!field.ignorable) {
      code.otherwise();
      refuse_if_set(code, message, structure, field);
      code.close();
    } else {
      code.close();
    }
  }
  if (flexible == "true") {
    write_tagged(code, message, structure);
  } else if (!message.flexible.empty()) {
    if (flexible != "false") {
      code.open("if (flexible) {{");
      write_tagged(code, message, structure);
      code.otherwise();
      refuse_tagged(code, message, structure);
      code.close();
    } else {
      refuse_tagged(code, message, structure);
    }
  }
  code.close();
  code.blank();
}

}  // namespace cohort::codegen
