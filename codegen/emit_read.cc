#include "codegen/cpp.h"
#include "codegen/emit.h"
#include "codegen/naming.h"

namespace cohort::codegen {
namespace {

// Expression that reads one element. compact: a C++ condition.
std::string read_scalar(Kind kind, const std::string& compact) {
  switch (kind) {
    case Kind::kBool:
      return "reader.boolean()";
    case Kind::kInt8:
      return "reader.int8()";
    case Kind::kInt16:
      return "reader.int16()";
    case Kind::kUint16:
      return "reader.uint16()";
    case Kind::kInt32:
      return "reader.int32()";
    case Kind::kUint32:
      return "reader.uint32()";
    case Kind::kInt64:
      return "reader.int64()";
    case Kind::kFloat64:
      return "reader.float64()";
    case Kind::kUuid:
      return "reader.uuid()";
    case Kind::kString:
      return fmt::format("reader.string({})", compact);
    case Kind::kBytes:
    case Kind::kRecords:
      return fmt::format("reader.bytes({})", compact);
    case Kind::kStruct:
      break;
  }
  return "";
}

void read_elements(Code& code, const Field& field, const std::string& target, const std::string& count,
                   const std::string& compact) {
  if (is_fixed_integer(field.type.kind)) return code.line("read_integers(reader, {}, {});", target, count);
  if (field.type.kind == Kind::kStruct) {
    return code.line("read_array(reader, {}, {}, [&](auto& element) {{ read_struct(reader, element, version); }});",
                     target, count);
  }
  code.line("read_array(reader, {}, {}, [&](auto& element) {{ element = {}; }});", target, count,
            read_scalar(field.type.kind, compact));
}

// Reads a value that cannot be null in the versions at hand.
void read_plain(Code& code, const Field& field, const std::string& member, const std::string& compact) {
  const std::string target =
      field.is_nullable() && (field.type.is_array || field.type.kind == Kind::kStruct) ? member + ".emplace()" : member;
  if (field.type.is_array)
    return read_elements(code, field, target, fmt::format("reader.array_count({})", compact), compact);
  if (field.type.kind == Kind::kStruct) return code.line("read_struct(reader, {}, version);", target);
  code.line("{} = {};", member, read_scalar(field.type.kind, compact));
}

void read_nullable(Code& code, const Field& field, const std::string& member, const std::string& compact) {
  if (field.type.is_array) {
    code.open("if (const auto count = reader.nullable_array_count({})) {{", compact);
    read_elements(code, field, member + ".emplace()", "*count", compact);
    code.otherwise();
    code.line("{}.reset();", member);
    return code.close();
  }
  if (field.type.kind == Kind::kStruct) {
    code.open("if (reader.{}()) {{", field.tag ? "tagged_struct_is_present" : "struct_is_present");
    code.line("read_struct(reader, {}.emplace(), version);", member);
    code.otherwise();
    code.line("{}.reset();", member);
    return code.close();
  }
  code.line("{} = reader.nullable_{}({});", member, field.type.kind == Kind::kString ? "string" : "bytes", compact);
}

void read_value(Code& code, const Message& message, const Struct& structure, const Field& field) {
  const std::string member = "message." + member_name(field.name);
  const std::string compact = compact_condition(message, structure, field);
  const std::string null = version_condition(field.nullable, field.versions);
  if (null == "false") return read_plain(code, field, member, compact);
  if (null == "true") return read_nullable(code, field, member, compact);
  code.open("if ({}) {{", null);
  read_nullable(code, field, member, compact);
  code.otherwise();
  read_plain(code, field, member, compact);
  code.close();
}

void read_tagged(Code& code, const Message& message, const Struct& structure, const std::string& flexible) {
  const std::string scope = scope_of(message);
  for (const Field& field : structure.fields) {
    if (field.tag) code.line("message.{} = {};", member_name(field.name), default_expression(field, scope));
  }
  code.text("message.unknown_tags.clear();");
  if (flexible != "true") code.line("if (!flexible) return;");
  code.text("const std::size_t tags = reader.tagged_field_count();");
  code.text("ByteReader::TagHead head;");
  code.open("for (std::size_t i = 0; i < tags; ++i) {{");
  code.text("head = reader.next_tag(head);");
  code.text("if (!reader.ok()) return;");
  if (structure.has_tagged()) {
    code.text("const std::size_t before = reader.remaining();");
    code.open("switch (head.tag) {{");
    for (const Field& field : structure.fields) {
      if (!field.tag) continue;
      code.open("case {}: {{", *field.tag);
      const std::string known = version_condition(field.versions, structure.versions.intersect(message.flexible));
      if (known != "true") code.line("if (!({})) break;", known);
      read_value(code, message, structure, field);
      code.text("reader.tag_end(head, before);");
      code.text("continue;");
      code.close();
    }
    code.text("default: break;");
    code.close();
  }
  code.text("reader.unknown_tag(head, message.unknown_tags);");
  code.close();
}

}  // namespace

void emit_read(Code& code, const Message& message, const Struct& structure) {
  const std::string scope = scope_of(message);
  const std::string flexible = version_condition(message.flexible, structure.versions);
  code.open("static void read_struct({0}ByteReader& reader, {0}{1}& message, [[maybe_unused]] std::int16_t version) {{",
            unused_mark(message, structure), qualified(message, structure));
  if (flexible != "true" && flexible != "false") code.line("const bool flexible = {};", flexible);
  for (const Field& field : structure.fields) {
    if (field.tag) continue;
    const std::string present = version_condition(field.versions, structure.versions);
    if (present == "true") {
      read_value(code, message, structure, field);
      continue;
    }
    code.open("if ({}) {{", present);
    read_value(code, message, structure, field);
    code.otherwise();
    code.line("message.{} = {};", member_name(field.name), default_expression(field, scope));
    code.close();
  }
  if (flexible != "false")
    read_tagged(code, message, structure, flexible);
  else if (!message.flexible.empty())
    code.text("message.unknown_tags.clear();");
  code.close();
  code.blank();
}

}  // namespace cohort::codegen
