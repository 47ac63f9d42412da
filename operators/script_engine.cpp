#include "operators/script_engine.h"

#include <cctype>
#include <cmath>
#include <cstdlib>
#include <set>
#include <string>

#include <fmt/format.h>
#include <lua.hpp>

#include "formats/one_json.h"
#include "operators/field_names.h"

namespace huiliu::operators {
namespace {

using runtime::Arena;
using runtime::Config;
using runtime::Diagnostics;
using runtime::Record;
using runtime::Schema;
using runtime::Type;
using runtime::Value;

constexpr int kHookInterval = 1000;
constexpr std::int64_t kExactInteger = 9007199254740992;    // 2^53: Lua's numbers are doubles
constexpr std::int64_t kExactInText = 100'000'000'000'000;  // Lua writes 14 digits of a number

// Makes the only globals that scripts see. Libraries are read-only, `pairs` has a fixed order,
// and library functions that could run long in C are bounded, since hooks do not reach them.
constexpr const char* kPrelude = R"lua(
local known, writable, reject, values = ...
local plain, floor, format = tostring, math.floor, string.format
local function tostring(value)
  if type(value) == "number" and floor(value) == value and value > -2^53 and value < 2^53 then
    return format("%d", value)
  end
  return plain(value)
end
local error, type, rawset, setmetatable, next = error, type, rawset, setmetatable, next
local sort, byte, len = table.sort, string.byte, string.len
string.dump, math.random, math.randomseed, table.foreach, table.foreachi = nil
local rep = string.rep
string.rep = function(s, n, separator)
  if (len(s) + len(separator or "")) * n > 65536 then error("string.rep: the result is too long", 2) end
  return rep(s, n, separator)
end
for _, name in ipairs{"find", "match", "gmatch", "gsub"} do
  local original = string[name]
  string[name] = function(s, pattern, ...)
    local repeats, text = 1, tostring(pattern)
    for i = 1, len(text) do
      local c = byte(text, i)
      if c == 42 or c == 43 or c == 45 then repeats = repeats + 1 end
    end
    if len(tostring(s)) ^ repeats > 1e9 then error("string." .. name .. ": pattern too costly", 2) end
    return original(s, pattern, ...)
  end
end
local function frozen(library)
  return setmetatable({}, {__index = library, __metatable = false,
    __newindex = function() error("libraries cannot be changed", 2) end})
end
local function ordered(a, b)
  if type(a) == type(b) and (type(a) == "number" or type(a) == "string") then return a < b end
  return type(a) < type(b)
end
local base = {
  assert = assert, error = error, ipairs = ipairs, select = select, tonumber = tonumber,
  tostring = tostring, type = type, unpack = unpack, reject = reject,
  string = frozen(string), math = frozen(math), table = frozen(table),
  pairs = function(t)
    local keys, i = {}, 0
    for key in next, t do keys[#keys + 1] = key end
    sort(keys, ordered)
    return function() i = i + 1; if keys[i] ~= nil then return keys[i], t[keys[i]] end end
  end}
setmetatable(values, {__index = function(_, name)
  if known[name] then return nil end
  local value = base[name]
  if value == nil then error("there is no field or function '" .. tostring(name) .. "'", 2) end
  return value
end})
return setmetatable({}, {__metatable = false, __index = values,
  __newindex = function(_, name, value)
    if not writable[name] then
      error("'" .. tostring(name) .. "' is not among the fields to set; use `local` for variables", 2)
    end
    rawset(values, name, value)
  end})
)lua";

/// Identifiers of a script outside strings and comments, but for those behind a dot or colon.
std::set<std::string, std::less<>> identifiers(std::string_view source) {
  std::set<std::string, std::less<>> found;
  const auto is_name = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || (c & 0x80) != 0;
  };
  for (std::size_t i = 0; i < source.size();) {
    const char c = source[i];
    if (c == '"' || c == '\'') {
      for (++i; i < source.size() && source[i] != c; ++i) {
        if (source[i] == '\\') ++i;
      }
      ++i;
    } else if (source.substr(i, 2) == "--") {
      while (i < source.size() && source[i] != '\n') ++i;
    } else if (is_name(c)) {
      const std::size_t start = i;
      while (i < source.size() && is_name(source[i])) ++i;
      const bool member =
          start > 0 && (source[start - 1] == ':' ||
                        (source[start - 1] == '.' && (start < 2 || source[start - 2] != '.')));
      const bool number = std::isdigit(static_cast<unsigned char>(c)) != 0;
      if (!member && !number) found.emplace(source.substr(start, i - start));
    } else {
      ++i;
    }
  }
  return found;
}

/// Whether a script may turn numbers into text by other ways than tostring().
bool makes_text(std::string_view source) {
  if (identifiers(source).contains("string")) return true;
  for (const std::string_view way : {"..", ":", "concat"}) {
    if (source.find(way) != std::string_view::npos) return true;
  }
  return false;
}

struct Slot {
  std::string name;
  std::size_t field;
  Type type;
};

class LuaScript final : public Script {
 public:
  explicit LuaScript(const ScriptLimits& limits) : limits_(limits) {
    state_ = lua_newstate(&LuaScript::allocate, this);
    // Builds of LuaJIT without GC64 take no allocator; the hook then watches the memory alone.
    if (state_ == nullptr) state_ = luaL_newstate();
    if (state_ == nullptr) throw std::bad_alloc();
  }
  ~LuaScript() override { lua_close(state_); }

  /// Empty, or Lua's message.
  std::string compile(const std::string& source, const Schema& schema,
                      const std::vector<std::size_t>& sets) {
    find_slots(source, schema, sets);
    most_ = makes_text(source) ? kExactInText : kExactInteger;
    luaJIT_setmode(state_, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF);
    open_libraries();
    lua_newtable(state_);
    luaL_loadbuffer(state_, kPrelude, std::char_traits<char>::length(kPrelude), "=sandbox");
    push_names(reads_, schema);
    push_names(sets_, schema);
    lua_pushlightuserdata(state_, this);
    lua_pushcclosure(state_, &LuaScript::on_reject, 1);
    lua_pushvalue(state_, kValues);
    if (lua_pcall(state_, 4, 1, 0) != 0) return lua_tostring(state_, -1);
    if (luaL_loadbufferx(state_, source.data(), source.size(), "=script", "t") != 0) {
      return lua_tostring(state_, -1);
    }
    lua_pushvalue(state_, kEnvironment);
    lua_setfenv(state_, kChunk);
    lua_pushcfunction(state_, &LuaScript::enter);
    lua_pushlightuserdata(state_, state_key());
    lua_pushlightuserdata(state_, this);
    lua_settable(state_, LUA_REGISTRYINDEX);
    lua_sethook(state_, &LuaScript::on_count, LUA_MASKCOUNT, kHookInterval);
    return {};
  }

  Outcome run(const Record& record, Arena& arena) override {
    lua_settop(state_, kEnter);
    record_ = &record;
    arena_ = &arena;
    if (call() == 0) return finish();
    // Garbage may have filled the memory: once more after a collection.
    if (!rejected_ && out_of_memory_) {
      lua_settop(state_, kEnter);
      lua_gc(state_, LUA_GCCOLLECT, 0);
      if (call() == 0) return finish();
    }
    if (rejected_) return {Outcome::kRejected, false, reject_};
    std::size_t size = 0;
    const char* message = lua_tolstring(state_, -1, &size);
    const Outcome outcome =
        failure(message == nullptr ? "error without a message" : std::string_view(message, size));
    lua_settop(state_, kEnter);
    if (out_of_memory_) lua_gc(state_, LUA_GCCOLLECT, 0);
    return outcome;
  }

  Outcome value(Type type, Arena& arena, Value& into) override {
    arena_ = &arena;
    return convert(kResult, type, "the expression", into);
  }

  Outcome store(Record& record, Arena& arena) override {
    arena_ = &arena;
    for (const Slot& slot : sets_) {
      lua_pushlstring(state_, slot.name.data(), slot.name.size());
      lua_rawget(state_, kValues);
      const Outcome outcome = convert(lua_gettop(state_), slot.type, slot.name, record[slot.field]);
      lua_pop(state_, 1);
      if (outcome.kind != Outcome::kDone) return outcome;
    }
    return {};
  }

 private:
  // Places on Lua's stack.
  static constexpr int kValues = 1, kEnvironment = 2, kChunk = 3, kEnter = 4, kResult = 5;

  void find_slots(const std::string& source, const Schema& schema,
                  const std::vector<std::size_t>& sets) {
    const auto names = identifiers(source);
    for (std::size_t i = 0; i < schema.width(); ++i) {
      if (names.contains(schema[i].name)) reads_.push_back({schema[i].name, i, schema[i].type});
    }
    for (std::size_t field : sets) {
      sets_.push_back({schema[field].name, field, schema[field].type});
      if (!names.contains(schema[field].name)) reads_.push_back(sets_.back());
    }
  }

  void open_libraries() {
    const std::pair<const char*, lua_CFunction> libraries[] = {{"", luaopen_base},
                                                               {"string", luaopen_string},
                                                               {"math", luaopen_math},
                                                               {"table", luaopen_table}};
    for (const auto& [name, open] : libraries) {
      lua_pushcfunction(state_, open);
      lua_pushstring(state_, name);
      lua_call(state_, 1, 0);
    }
  }

  void push_names(const std::vector<Slot>& slots, const Schema&) {
    lua_newtable(state_);
    for (const Slot& slot : slots) {
      lua_pushboolean(state_, 1);
      lua_setfield(state_, -2, slot.name.c_str());
    }
  }

  // Everything that may run out of memory happens inside a protected call.
  int call() {
    rejected_ = out_of_memory_ = false;
    left_ = limits_.instructions;
    lua_pushvalue(state_, kEnter);
    lua_pushlightuserdata(state_, this);
    lua_pushvalue(state_, kChunk);
    lua_pushvalue(state_, kValues);
    const int status = lua_pcall(state_, 3, 1, 0);
    if (status == LUA_ERRMEM) out_of_memory_ = true;
    return status;
  }

  static int enter(lua_State* state) {
    auto* self = static_cast<LuaScript*>(lua_touserdata(state, 1));
    for (const Slot& slot : self->reads_) {
      lua_pushlstring(state, slot.name.data(), slot.name.size());
      self->push(state, (*self->record_)[slot.field], slot);
      lua_rawset(state, 3);
    }
    lua_pushvalue(state, 2);
    lua_call(state, 0, 1);
    return 1;
  }

  void push(lua_State* state, const Value& value, const Slot& slot) {
    const Type type = slot.type;
    if (value.is_null()) {
      lua_pushnil(state);
    } else if (runtime::is_text(type)) {
      lua_pushlstring(state, value.text().data(), value.text().size());
    } else if (type == Type::kBool) {
      lua_pushboolean(state, value.boolean() ? 1 : 0);
    } else if (type == Type::kFloat64) {
      lua_pushnumber(state, value.real());
    } else if (value.integer() < most_ && value.integer() > -most_) {
      lua_pushnumber(state, static_cast<double>(value.integer()));
    } else {
      // A rounded identifier is another's: better none. Never returns.
      luaL_error(state, "field '%s' has more digits than a script keeps (%d%s); make it a string",
                 slot.name.c_str(), most_ == kExactInText ? 14 : 15,
                 most_ == kExactInText ? " where the script makes text" : "");
    }
  }

  Outcome finish() {
    const bool truth = lua_toboolean(state_, kResult) != 0;
    const bool dropped = lua_isboolean(state_, kResult) && !truth;
    return {dropped ? Outcome::kDropped : Outcome::kDone, truth, {}};
  }

  Outcome convert(int index, Type type, std::string_view what, Value& into) {
    const int found = lua_type(state_, index);
    if (found == LUA_TNIL) {
      into = Value();
    } else if (runtime::is_text(type) && found == LUA_TNUMBER && is_exact(index)) {
      const auto whole = static_cast<std::int64_t>(lua_tonumber(state_, index));
      into = Value::of_text(arena_->copy(std::to_string(whole)));
    } else if (runtime::is_text(type) && (found == LUA_TSTRING || found == LUA_TNUMBER)) {
      std::size_t size = 0;
      const char* text = lua_tolstring(state_, index, &size);
      if (type == Type::kJson && !formats::is_one_json({text, size})) {
        return failure(fmt::format("{}: what it gives is not one JSON value", what));
      }
      into = Value::of_text(arena_->copy({text, size}));
    } else if (type == Type::kBool && found == LUA_TBOOLEAN) {
      into = Value::of_bool(lua_toboolean(state_, index) != 0);
    } else if (type == Type::kFloat64 && found == LUA_TNUMBER) {
      if (!std::isfinite(lua_tonumber(state_, index))) {
        return failure(fmt::format("{}: what it gives is not a finite number", what));
      }
      into = Value::of_real(lua_tonumber(state_, index));
    } else if (!runtime::is_text(type) && type != Type::kBool && found == LUA_TNUMBER &&
               is_exact(index)) {
      into = Value::of_integer(static_cast<std::int64_t>(lua_tonumber(state_, index)));
    } else {
      return failure(fmt::format("{}: a {} does not fit into a field of type {}", what,
                                 lua_typename(state_, found), runtime::type_name(type)));
    }
    return {};
  }

  bool is_exact(int index) const {
    const double number = lua_tonumber(state_, index);
    return std::fabs(number) < static_cast<double>(kExactInteger) && std::floor(number) == number;
  }

  Outcome failure(std::string_view message) {
    const std::string_view kept = arena_->copy(message);
    return {
        Outcome::kError,
        false,
        {"E901_SCRIPT", {}, {}, "script", kept, arena_->copy(fmt::format("脚本出错：{}", kept))}};
  }

  static int on_reject(lua_State* state) {
    auto* self = static_cast<LuaScript*>(lua_touserdata(state, lua_upvalueindex(1)));
    const auto text = [&](int index, std::string_view fallback) -> std::string_view {
      std::size_t size = 0;
      const char* bytes = lua_tolstring(state, index, &size);
      return bytes == nullptr ? fallback : self->arena_->copy({bytes, size});
    };
    lua_settop(state, 4);
    self->reject_ = {
        text(1, "E901_SCRIPT"),     text(4, {}), {}, "script", text(2, "refused by the script"),
        text(3, "脚本拒绝了该记录")};
    self->rejected_ = true;
    lua_pushliteral(state, "rejected");
    return lua_error(state);
  }

  static void on_count(lua_State* state, lua_Debug*) {
    lua_pushlightuserdata(state, state_key());
    lua_gettable(state, LUA_REGISTRYINDEX);
    auto* self = static_cast<LuaScript*>(lua_touserdata(state, -1));
    lua_pop(state, 1);
    if (self->left_ < kHookInterval) {
      luaL_error(state, "stopped after %f instructions",
                 static_cast<double>(self->limits_.instructions));
    }
    self->left_ -= kHookInterval;
    if (static_cast<std::size_t>(lua_gc(state, LUA_GCCOUNT, 0)) * 1024 >
        self->limits_.memory_bytes) {
      self->out_of_memory_ = true;
      luaL_error(state, "not enough memory");
    }
  }

  static void* state_key() {
    static char key;
    return &key;
  }

  static void* allocate(void* data, void* block, std::size_t old_size, std::size_t new_size) {
    auto* self = static_cast<LuaScript*>(data);
    if (new_size == 0) {
      std::free(block);
      self->used_ -= old_size;
      return nullptr;
    }
    if (block == nullptr) old_size = 0;
    if (new_size > old_size && self->used_ + new_size - old_size > self->limits_.memory_bytes) {
      return nullptr;
    }
    void* moved = std::realloc(block, new_size);
    if (moved != nullptr) self->used_ += new_size - old_size;
    return moved;
  }

  ScriptLimits limits_;
  std::size_t used_ = 0;
  lua_State* state_ = nullptr;
  std::vector<Slot> reads_, sets_;
  const Record* record_ = nullptr;
  Arena* arena_ = nullptr;
  std::uint64_t left_ = 0;
  std::int64_t most_ = kExactInteger;  // integers from here on are refused
  bool rejected_ = false;
  bool out_of_memory_ = false;
  runtime::Reject reject_;
};

// Lua says "script:LINE: message"; a block text starts on the line after its indicator.
void report(const Config& node, const std::string& message, Diagnostics& diagnostics) {
  runtime::Place place = node.place();
  constexpr std::string_view prefix = "script:";
  std::string text = message;
  if (message.starts_with(prefix)) {
    const int line = std::atoi(message.c_str() + prefix.size());
    const std::size_t colon = message.find(':', prefix.size());
    if (colon != std::string::npos) text = message.substr(colon + 1);
    const bool block = node.text().find('\n') != std::string::npos;
    if (place.line > 0) place.line += block ? line : line - 1;
  }
  diagnostics.error(place, fmt::format("script:{}", text.starts_with(' ') ? text : " " + text));
}

void report_unknown(const Config& node, const Schema& schema, Diagnostics& diagnostics) {
  static const std::set<std::string, std::less<>> words = {
      "and",    "or",     "not",      "true",     "false",  "nil",    "if",     "then",
      "else",   "end",    "function", "return",   "assert", "error",  "ipairs", "pairs",
      "select", "string", "tonumber", "tostring", "type",   "unpack", "math",   "table"};
  const auto names = identifiers(node.text());
  // With variables and table keys of its own a script is checked when it runs.
  if (names.contains("function") || node.text().find_first_of("{[") != std::string::npos) return;
  std::vector<std::string> fields;
  for (const runtime::Field& field : schema.fields()) fields.push_back(field.name);
  for (const std::string& name : names) {
    if (words.contains(name) || schema.index_of(name)) continue;
    diagnostics.error(node.place(), fmt::format("there is no field '{}'", name),
                      runtime::nearest_hint(name, fields));
  }
}

}  // namespace

std::unique_ptr<Script> Script::compile_expression(const Config& node, const Schema& schema,
                                                   const ScriptLimits& limits,
                                                   Diagnostics& diagnostics) {
  if (!node.is_scalar()) {
    diagnostics.error(node.place(), "expected a Lua expression");
    return nullptr;
  }
  auto script = std::make_unique<LuaScript>(limits);
  const std::string message = script->compile("return " + node.text(), schema, {});
  if (!message.empty()) {
    report(node, message, diagnostics);
    return nullptr;
  }
  report_unknown(node, schema, diagnostics);
  return script;
}

std::unique_ptr<Script> Script::compile_body(const Config& node, const Schema& schema,
                                             const std::vector<std::size_t>& sets,
                                             const ScriptLimits& limits, Diagnostics& diagnostics) {
  if (!node.is_scalar()) {
    diagnostics.error(node.place(), "expected Lua statements");
    return nullptr;
  }
  auto script = std::make_unique<LuaScript>(limits);
  const std::string message = script->compile(node.text(), schema, sets);
  if (message.empty()) return script;
  report(node, message, diagnostics);
  return nullptr;
}

}  // namespace huiliu::operators
