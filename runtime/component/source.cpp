#include "runtime/component/source.h"

namespace huiliu::runtime {

Splits& Splits::none() {
  static Splits deaf;
  return deaf;
}

}  // namespace huiliu::runtime
