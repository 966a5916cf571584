// Code: text of a C++ file under construction, with indentation.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

namespace cohort::codegen {

class Code {
 public:
  template <typename... Args>
  void line(fmt::format_string<Args...> format, Args&&... args) {
    text(fmt::format(format, std::forward<Args>(args)...));
  }
  void text(std::string_view line) {
    if (!line.empty()) out_.append(indent_, ' ').append(line);
    out_ += '\n';
  }
  void blank() { out_ += '\n'; }
  // A line that ends with "{"; what follows is indented until close().
  template <typename... Args>
  void open(fmt::format_string<Args...> format, Args&&... args) {
    line(format, std::forward<Args>(args)...);
    indent_ += 2;
  }
  void close(std::string_view line = "}") {
    indent_ -= 2;
    text(line);
  }
  // Between open() and close(): the other branch.
  void otherwise() {
    close("} else {");
    indent_ += 2;
  }
  // `about` as a // comment, broken at 110 columns. Nothing when empty.
  void comment(std::string_view about);

  const std::string& str() const { return out_; }

 private:
  std::string out_;
  std::size_t indent_ = 0;
};

}  // namespace cohort::codegen
