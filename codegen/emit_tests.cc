#include "codegen/emit_tests.h"

#include <filesystem>

#include "codegen/cpp.h"
#include "codegen/emit.h"
#include "codegen/naming.h"

namespace cohort::codegen {
namespace {

void fill_value(Code& code, const Field& field, const std::string& member) {
  std::string target = member;
  if (field.is_nullable()) {
    const std::string null = version_condition(field.nullable, field.versions);
    code.open("if ({}random.one_in(4)) {{", null == "true" ? "" : fmt::format("({}) && ", null));
    code.line("{}.reset();", member);
    code.otherwise();
    target = member + ".emplace()";
  }
  if (field.type.kind != Kind::kStruct) {
    code.line("random.fill({});", target);
  } else if (field.type.is_array) {
    code.line("random.fill_array({}, [&](auto& element) {{ fill_struct(random, element, version); }});", target);
  } else {
    code.line("fill_struct(random, {}, version);", target);
  }
  if (field.is_nullable()) code.close();
}

void emit_fill(Code& code, const Message& message, const Struct& structure) {
  code.open("static void fill_struct({0}Random& random, {0}{1}& message, [[maybe_unused]] std::int16_t version) {{",
            unused_mark(message, structure), qualified(message, structure));
  for (const Field& field : structure.fields) {
    const std::string present = version_condition(field.versions, structure.versions);
    if (present != "true") code.open("if ({}) {{", present);
    fill_value(code, field, "message." + member_name(field.name));
    if (present != "true") code.close();
  }
  const std::string flexible = version_condition(message.flexible, structure.versions);
  if (flexible == "true")
    code.text("random.fill(message.unknown_tags);");
  else if (flexible != "false")
    code.line("if ({}) random.fill(message.unknown_tags);", flexible);
  code.close();
  code.blank();
}

void collect_value(Code& code, const Field& field, const std::string& member) {
  std::string value = member;
  if (field.is_nullable()) {
    code.open("if ({}.has_value()) {{", member);
    value = "(*" + member + ")";
  }
  const std::string step = fmt::format("path.empty() ? std::string(\"{0}\") : path + \".{0}\"", json_name(field.name));
  if (field.type.is_array) {
    code.open("for (std::size_t i = 0; i < {}.size(); ++i) {{", value);
    code.line("collect_struct({}[i], ({}) + \"[\" + std::to_string(i) + \"]\", into);", value, step);
    code.close();
  } else {
    code.line("collect_struct({}, {}, into);", value, step);
  }
  if (field.is_nullable()) code.close();
}

void emit_collect(Code& code, const Message& message, const Struct& structure) {
  code.open(
      "static void collect_struct([[maybe_unused]] const {}& message, [[maybe_unused]] const std::string& path, "
      "[[maybe_unused]] std::vector<UnknownTags>& into) {{",
      qualified(message, structure));
  if (!message.flexible.empty()) {
    code.text("if (!message.unknown_tags.empty()) into.push_back({path, message.unknown_tags});");
  }
  for (const Field& field : structure.fields) {
    if (field.type.kind == Kind::kStruct) collect_value(code, field, "message." + member_name(field.name));
  }
  code.close();
  code.blank();
}

std::string codec_function(const Message& message) {
  return "codec_of_" + snake_case(message.name());
}

}  // namespace

std::string emit_test_codec(const Message& message) {
  Code code;
  code.line(fmt::runtime(kDoNotEdit), std::filesystem::path(message.file).filename().string());
  code.line("#include \"{}.h\"", include_stem(message));
  code.text("#include \"tests/generated/message_codec.h\"");
  code.text("#include \"tests/generated/random.h\"");
  code.blank();
  code.text("namespace cohort::protocol::generated {");
  code.blank();
  for (const Struct& structure : message.structs) {
    emit_fill(code, message, structure);
    emit_collect(code, message, structure);
  }
  emit_fill(code, message, message.body);
  emit_collect(code, message, message.body);
  code.line("MessageCodec {}();", codec_function(message));
  code.open("MessageCodec {}() {{", codec_function(message));
  const auto pick = [&](const std::string& function, const std::string& type) {
    return fmt::format("static_cast<{}>({})", type, function);
  };
  code.line("constexpr auto fill = {};",
            pick("fill_struct", fmt::format("void (*)(Random&, {}&, std::int16_t)", message.name())));
  code.line("constexpr auto collect = {};",
            pick("collect_struct",
                 fmt::format("void (*)(const {}&, const std::string&, std::vector<UnknownTags>&)", message.name())));
  code.line("return make_codec<{}, fill, collect>();", message.name());
  code.close();
  code.blank();
  code.text("}  // namespace cohort::protocol::generated");
  return code.str();
}

std::string emit_test_table(const std::vector<Message>& messages) {
  Code code;
  code.text("// Made by codegen. Do not edit.");
  code.text("#include \"tests/generated/message_codec.h\"");
  code.blank();
  code.text("namespace cohort::protocol::generated {");
  code.blank();
  for (const Message& message : messages) code.line("MessageCodec {}();", codec_function(message));
  code.blank();
  code.open("const std::vector<MessageCodec>& all_messages() {{");
  code.open("static const std::vector<MessageCodec> codecs = {{");
  for (const Message& message : messages) code.line("{}(),", codec_function(message));
  code.close("};");
  code.text("return codecs;");
  code.close();
  code.blank();
  code.text("}  // namespace cohort::protocol::generated");
  return code.str();
}

}  // namespace cohort::codegen
