#include "runtime/component/sink.h"

namespace huiliu::runtime {

Option outbox_option() {
  return {.name = "outbox",
          .type = OptionType::kSize,
          .doc =
              "How many bytes of records may wait for the store. Beyond, sources that feed this "
              "sink are not read until it has taken some; others go on.",
          .default_text = "256MiB",
          .minimum = 1};
}

}  // namespace huiliu::runtime
