package credit;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;

/** A record before and after cleansing: a POJO of Flink and a bean of Jackson. */
@JsonInclude(JsonInclude.Include.NON_NULL)
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonPropertyOrder({"id", "dept", "kind", "party_name", "party_type", "uscc", "id_no", "doc_name",
    "content", "decided_at", "valid_to", "amount", "ts", "class"})
public class Entry {
  public String id;
  public String dept;
  public String kind;
  public String party_name;
  public String party_type;
  public String uscc;
  public String id_no;
  public String doc_name;
  public String content;
  public String decided_at;
  public String valid_to;
  public Long amount;
  public long ts;

  @JsonProperty("class")
  public String category;

  /** Why it was refused; null if it was not. */
  @JsonIgnore
  public String reason;

  public Entry() {}

  @JsonIgnore
  public boolean isLegal() {
    return "legal".equals(party_type);
  }
}
