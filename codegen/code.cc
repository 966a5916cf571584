#include "codegen/code.h"

namespace cohort::codegen {

void Code::comment(std::string_view about) {
  constexpr std::size_t kWidth = 110;
  while (!about.empty()) {
    std::size_t end = about.size();
    if (indent_ + 3 + end > kWidth) {
      end = about.rfind(' ', kWidth - indent_ - 3);
      if (end == std::string_view::npos || end == 0) end = about.find(' ');
      if (end == std::string_view::npos) end = about.size();
    }
    line("// {}", about.substr(0, end));
    about.remove_prefix(end);
    while (about.starts_with(' ')) about.remove_prefix(1);
  }
}

}  // namespace cohort::codegen
