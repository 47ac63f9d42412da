#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>

#include "service/explain/layout.h"
#include "service/explain/report.h"

namespace huiliu::service {
namespace {

class JsonWriter {
 public:
  JsonWriter() { json_.SetIndent(' ', 2); }

  std::string write(const std::vector<Trace>& traces, const std::string& message) {
    json_.StartObject();
    json_.Key("records");
    json_.StartArray();
    for (const Trace& trace : traces) record(trace);
    json_.EndArray();
    if (!message.empty()) text("message", message);
    json_.EndObject();
    return std::string(buffer_.GetString(), buffer_.GetSize()) + "\n";
  }

 private:
  // A row that could not be read may hold any bytes.
  void string(const std::string& value) {
    const std::string clean = json_text(value);
    json_.String(clean.data(), static_cast<rapidjson::SizeType>(clean.size()));
  }
  void text(const char* key, const std::string& value) {
    json_.Key(key);
    string(value);
  }
  void text(const char* key, const std::optional<std::string>& value) {
    json_.Key(key);
    if (value) {
      string(*value);
    } else {
      json_.Null();
    }
  }

  void origin(const TraceOrigin& origin) {
    text("file", origin.file);
    json_.Key("row");
    json_.Uint64(origin.row);
  }

  void record(const Trace& trace) {
    json_.StartObject();
    if (!trace.origin.file.empty()) origin(trace.origin);
    if (trace.place) {
      if (!trace.place->sheet.empty()) text("sheet", trace.place->sheet);
      json_.Key("line");
      json_.Uint64(trace.place->line);
    }
    text("verdict", std::string(trace.rejecting_step()   ? "rejected"
                                : trace.dropping_step()  ? "dropped"
                                : trace.diverting_step() ? "set_aside"
                                                         : "passed"));
    json_.Key("read");
    json_.StartObject();
    for (const TraceChange& field : trace.read) text(field.field.c_str(), field.after);
    json_.EndObject();
    json_.Key("steps");
    json_.StartArray();
    for (const TraceStep& one : trace.steps) step(one);
    json_.EndArray();
    json_.EndObject();
  }

  static const char* name(TraceResult result) {
    switch (result) {
      case TraceResult::kRead:
        return "read";
      case TraceResult::kMade:
        return "made";
      case TraceResult::kPassed:
        return "passed";
      case TraceResult::kRejected:
        return "rejected";
      case TraceResult::kDropped:
        return "dropped";
      case TraceResult::kKept:
        return "absorbed";
      case TraceResult::kWritten:
        return "written";
    }
    return "";
  }

  void step(const TraceStep& step) {
    json_.StartObject();
    text("node", step.node);
    text("type", step.type);
    if (!step.input.empty()) text("input", step.input);
    text("result", std::string(name(step.result)));
    if (step.result == TraceResult::kDropped) text("why", step.dropped_why);
    if (!step.outputs.empty()) outputs(step.outputs);
    if (step.reject) reject(*step.reject);
    if (step.earlier) {
      json_.Key("earlier");
      json_.StartObject();
      origin(*step.earlier);
      json_.EndObject();
      if (step.compared) changes("differences", step.differences);
    }
    json_.EndObject();
  }

  void outputs(const std::vector<TraceOutput>& outputs) {
    json_.Key("outputs");
    json_.StartArray();
    for (const TraceOutput& output : outputs) {
      json_.StartObject();
      strings("streams", output.streams);
      if (!output.changes.empty()) changes("changes", output.changes);
      if (!output.removed.empty()) strings("removed", output.removed);
      json_.EndObject();
    }
    json_.EndArray();
  }

  void strings(const char* key, const std::vector<std::string>& values) {
    json_.Key(key);
    json_.StartArray();
    for (const std::string& value : values) string(value);
    json_.EndArray();
  }

  void changes(const char* key, const std::vector<TraceChange>& changes) {
    json_.Key(key);
    json_.StartArray();
    for (const TraceChange& change : changes) {
      json_.StartObject();
      text("field", change.field);
      text("before", change.before);
      text("after", change.after);
      json_.EndObject();
    }
    json_.EndArray();
  }

  void reject(const TraceReject& reject) {
    json_.Key("reject");
    json_.StartObject();
    text("code", reject.code);
    text("field", reject.field);
    text("value", reject.value);
    text("rule", reject.rule);
    text("message_zh", reject.message_zh);
    text("message_en", reject.message_en);
    json_.EndObject();
  }

  rapidjson::StringBuffer buffer_;
  rapidjson::PrettyWriter<rapidjson::StringBuffer> json_{buffer_};
};

}  // namespace

std::string traces_json(const std::vector<Trace>& traces, const std::string& message) {
  return JsonWriter().write(traces, message);
}

}  // namespace huiliu::service
