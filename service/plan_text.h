#pragma once

#include <string>

#include "runtime/topology/plan.h"

namespace huiliu::service {

/// For people: the nodes of each stage, how records reach them, and what each path promises.
std::string plan_text(const runtime::Plan& plan);
/// A drawing, as Mermaid.
std::string plan_mermaid(const runtime::Plan& plan);
/// For programs: one JSON object and a line end.
std::string plan_json(const runtime::Plan& plan);

}  // namespace huiliu::service
