#pragma once

#include <exception>
#include <stdexcept>
#include <string>

#include "runtime/base/failpoint.h"
#include "runtime/base/status.h"

namespace huiliu::runtime {

/// What a part of the engine throws, since it cannot return it, as a status.
template <class Part>
Status caught(const Part& part) {
  try {
    return part();
  } catch (const StatusError& error) {
    const Status& status = error.status();
    // What may pass is tried again from the last commit.
    return status.code() == StatusCode::kUnavailable ? Status::restart(status.message()) : status;
  } catch (const std::logic_error& error) {
    // Numbers that are none: std::stoull and the like.
    return Status::corrupt(std::string("the state has something that cannot be read: ") +
                           error.what());
  } catch (const SimulatedCrash&) {
    throw;  // the simulation's own
  } catch (const std::exception& error) {
    return Status::failed(error.what());
  }
}

}  // namespace huiliu::runtime
