package credit;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.time.LocalDate;
import java.util.Set;

/** Steps 1, 2 and 4 of the workload (bench/credit/WORKLOAD.md). One instance a task. */
final class Cleansing {
  private static final Set<String> KINDS = Set.of("licence", "penalty", "redlist", "blacklist");
  private static final String USCC_CHARACTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY";
  private static final byte[] USCC_VALUE = new byte[128];
  private static final int[] USCC_WEIGHT = new int[17];
  private static final int[] ID_WEIGHT = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};

  static {
    java.util.Arrays.fill(USCC_VALUE, (byte) -1);
    for (int i = 0; i < USCC_CHARACTERS.length(); ++i) {
      USCC_VALUE[USCC_CHARACTERS.charAt(i)] = (byte) i;
    }
    for (int i = 0, weight = 1; i < 17; ++i, weight = weight * 3 % 31) USCC_WEIGHT[i] = weight;
  }

  private final ObjectMapper mapper = new ObjectMapper();
  private final ObjectReader reader = mapper.readerFor(Entry.class);
  private final ObjectWriter writer = mapper.writerFor(Entry.class);
  private final StringBuilder buffer = new StringBuilder(128);

  /** The cleansed entry; `reason` is set if it is refused. */
  Entry read(String line) {
    try {
      return cleansed(reader.readValue(line));
    } catch (JsonProcessingException e) {
      return broken();
    }
  }

  /** The same of UTF-8, which saves a copy. */
  Entry read(byte[] line) {
    try {
      return cleansed(reader.readValue(line));
    } catch (IOException e) {  // also a character that is cut off
      return broken();
    }
  }

  private static Entry broken() {
    Entry entry = new Entry();
    entry.id = entry.dept = entry.kind = "";
    entry.reason = "bad_json";
    return entry;
  }

  byte[] json(Entry entry) {
    return bytes(writer, entry);
  }

  byte[] refusal(Entry entry) {
    ObjectNode node = mapper.createObjectNode().put("id", entry.id).put("dept", entry.dept);
    return bytes(mapper.writer(),
        node.put("kind", entry.kind).put("reason", entry.reason).put("ts", entry.ts));
  }

  byte[] window(String dept, String kind, long start, long end, long count) {
    ObjectNode node = mapper.createObjectNode().put("dept", dept).put("kind", kind);
    return bytes(mapper.writer(),
        node.put("window_start", start).put("window_end", end).put("count", count));
  }

  private static byte[] bytes(ObjectWriter writer, Object value) {
    try {
      return writer.writeValueAsBytes(value);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  private Entry cleansed(Entry entry) {
    boolean legal = entry.isLegal();
    entry.id = halfWidth(entry.id, false);
    entry.party_name = halfWidth(entry.party_name, true);
    entry.doc_name = halfWidth(entry.doc_name, false);
    entry.content = entry.content.trim();
    String number = upper(halfWidth(legal ? entry.uscc : entry.id_no, false));
    if (legal) {
      entry.uscc = number;
    } else {
      entry.id_no = number;
    }
    entry.reason = fault(entry, legal, number);
    if (entry.reason == null) entry.category = entry.party_type + "/" + entry.kind;
    return entry;
  }

  private String fault(Entry entry, boolean legal, String number) {
    if (!KINDS.contains(entry.kind) || !(legal || "natural".equals(entry.party_type))) {
      return "bad_kind";
    }
    if (legal && !isUscc(number)) return "bad_uscc";
    if (!legal && !isIdNumber(number)) return "bad_id_no";
    if ((entry.decided_at = date(entry.decided_at)) == null) return "bad_decided_at";
    if ((entry.valid_to = date(entry.valid_to)) == null) return "bad_valid_to";
    return null;
  }

  private static boolean isChanged(char c) {
    return c <= ' ' || c == '\u3000' || (c >= '\uFF01' && c <= '\uFF5E');
  }

  private String halfWidth(String text, boolean collapse) {
    int at = 0;
    while (at < text.length() && !isChanged(text.charAt(at))) ++at;
    if (at == text.length()) return text;
    buffer.setLength(0);
    for (int i = 0; i < text.length(); ++i) {
      char c = text.charAt(i);
      if (c >= '\uFF01' && c <= '\uFF5E') c -= 0xFEE0;
      if (c == '\u3000' || c == '\t' || c == '\r' || c == '\n') c = ' ';
      int length = buffer.length();
      boolean again = length > 0 && buffer.charAt(length - 1) == ' ';
      if (c == ' ' && (length == 0 || (collapse && again))) continue;
      buffer.append(c);
    }
    int end = buffer.length();
    while (end > 0 && buffer.charAt(end - 1) == ' ') --end;
    return buffer.substring(0, end);
  }

  private static String upper(String text) {
    for (int i = 0; i < text.length(); ++i) {
      char c = text.charAt(i);
      if (c >= 'a' && c <= 'z') return text.toUpperCase(java.util.Locale.ROOT);
    }
    return text;
  }

  private static boolean isUscc(String text) {
    if (text.length() != 18) return false;
    int sum = 0;
    for (int i = 0; i < 18; ++i) {
      char c = text.charAt(i);
      if (c > 127 || USCC_VALUE[c] < 0) return false;
      if (i < 17) sum += USCC_VALUE[c] * USCC_WEIGHT[i];
    }
    return USCC_VALUE[text.charAt(17)] == (31 - sum % 31) % 31;
  }

  private static boolean isIdNumber(String text) {
    if (text.length() != 18) return false;
    int sum = 0;
    for (int i = 0; i < 17; ++i) {
      int digit = text.charAt(i) - '0';
      if (digit < 0 || digit > 9) return false;
      sum += digit * ID_WEIGHT[i];
    }
    return text.charAt(17) == "10X98765432".charAt(sum % 11);
  }

  private static int number(String text, int from, int to) {
    int value = from < to ? 0 : -1;
    for (int i = from; i < to; ++i) {
      int digit = text.charAt(i) - '0';
      if (digit < 0 || digit > 9) return -1;
      value = value * 10 + digit;
    }
    return value;
  }

  /** YYYY-MM-DD, or null. */
  private static String date(String text) {
    int length = text.length();
    if (length < 8 || number(text, 0, 4) < 0) return null;
    char first = text.charAt(4);
    if (length == 8 && first >= '0' && first <= '9') {
      return date(text, number(text, 4, 6), number(text, 6, 8));
    }
    boolean chinese = first == '年';
    if (!chinese && first != '-' && first != '/') return null;
    if (chinese && text.charAt(length - 1) != '日') return null;
    int end = chinese ? length - 1 : length;
    int second = text.indexOf(chinese ? '月' : first, 5);
    if (second < 0 || second - 5 > 2 || end - second - 1 > 2) return null;
    return date(text, number(text, 5, second), number(text, second + 1, end));
  }

  private static String date(String text, int month, int day) {
    int year = number(text, 0, 4);
    if (month < 1 || month > 12 || day < 1 || day > 31) return null;
    if (day > 28 && day > LocalDate.of(year, month, 1).lengthOfMonth()) return null;
    if (text.length() == 10 && text.charAt(4) == '-') return text;
    char[] out = new char[10];
    text.getChars(0, 4, out, 0);
    out[4] = out[7] = '-';
    out[5] = (char) ('0' + month / 10);
    out[6] = (char) ('0' + month % 10);
    out[8] = (char) ('0' + day / 10);
    out[9] = (char) ('0' + day % 10);
    return new String(out);
  }
}
