#include <fmt/format.h>

#include <string_view>

#include "planner/plan/render/cells.h"
#include "planner/plan/render/format.h"

namespace pgalter::plan {

namespace {

constexpr std::size_t kLongestLabel = 80;

// What a label may hold: Mermaid reads #…; as a character's number.
std::string Label(const std::string& text) {
  std::string label;
  std::size_t characters = 0;
  for (const char c : text) {
    const bool starts = (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    if (starts && ++characters > kLongestLabel) return label + "…";
    switch (c) {
      case '"':
      case '#':
      case '<':
      case '>':
      case '&':
      case '`':
        label += fmt::format("#{};", static_cast<int>(c));
        break;
      default:
        label += c;
    }
  }
  return label;
}

}  // namespace

std::string RenderMermaid(const Plan& plan) {
  std::string text = "flowchart TD\n";
  std::string_view open;
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const Step& step = plan.steps[i];
    if (const std::string_view phase = Name(step.phase); phase != open) {
      if (!open.empty()) text += "  end\n";
      text += fmt::format("  subgraph p{} [{}]\n", i, phase);
      open = phase;
    }
    const auto lines = RunsLines(step);
    const std::string label = Label(lines.empty() ? step.id : lines.front());
    const bool gate = step.kind == StepKind::kGate;
    text += fmt::format("    s{}{}\"{}{}\"{}\n", i, gate ? "{{" : "[", label,
                        lines.size() > 1 ? " …" : "", gate ? "}}" : "]");
  }
  if (!open.empty()) text += "  end\n";
  for (std::size_t i = 1; i < plan.steps.size(); ++i)
    text += fmt::format("  s{} --> s{}\n", i - 1, i);
  return text;
}

}  // namespace pgalter::plan
