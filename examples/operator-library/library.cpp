#include "operators.h"

namespace {

void register_types(huiliu::runtime::LibraryTypes& types) {
  types.add(fines::bands());
  types.add(fines::running_total());
}

}  // namespace

HUILIU_LIBRARY(register_types);
