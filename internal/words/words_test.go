package words

import "testing"

type fruit uint8

var (
	fruits = Table[fruit]{Words: []string{"apple", "pear", "plum"}, What: "fruit", Lists: true, Type: "Fruit"}
	others = Table[fruit]{Words: []string{"unknown", "pear"}, What: "kind of fruit", Other: "unknown"}
)

func TestAValueIsReadBackFromItsWord(t *testing.T) {
	for i, word := range fruits.Words {
		v := fruit(i)
		text, err := fruits.Marshal(v)
		if err != nil || string(text) != word || fruits.String(v) != word {
			t.Errorf("%d is %q, %v", i, text, err)
		}
		back := ^v
		if err := fruits.Unmarshal(&back, text); err != nil || back != v {
			t.Errorf("%q is %d, %v", text, back, err)
		}
	}
}

func TestAValueWithoutAWord(t *testing.T) {
	if got := fruits.String(3); got != "Fruit(3)" {
		t.Error(got)
	}
	if text, err := fruits.Marshal(3); err == nil || err.Error() != "no word for Fruit(3)" {
		t.Errorf("%q, %v", text, err)
	}
	if text, err := others.Marshal(2); err != nil || string(text) != "unknown" || others.String(2) != "unknown" {
		t.Errorf("%q, %v", text, err)
	}
}

func TestAnUnknownWord(t *testing.T) {
	v := fruit(1)
	for _, tt := range []struct {
		table *Table[fruit]
		word  string
		want  string
	}{
		{&fruits, "Pear", `unknown fruit "Pear": apple, pear and plum are known`},
		{&others, "plum", `unknown kind of fruit "plum"`},
	} {
		if err := tt.table.Unmarshal(&v, []byte(tt.word)); err == nil || err.Error() != tt.want || v != 1 {
			t.Errorf("%d, %v, want %s", v, err, tt.want)
		}
	}
}

func TestASetIsReadBackFromItsWords(t *testing.T) {
	basket := Set[fruit]{Words: []string{"apple", "pear", "plum"}, What: "fruit"}
	for v, want := range []string{"none", "apple", "pear", "apple,pear", "plum", "apple,plum", "pear,plum", "apple,pear,plum"} {
		text := basket.String(fruit(v))
		back := ^fruit(v)
		if err := basket.Unmarshal(&back, []byte(text)); err != nil || text != want || back != fruit(v) {
			t.Errorf("%d is %q, and back %d, %v", v, text, back, err)
		}
	}
	v := fruit(5)
	if err := basket.Unmarshal(&v, []byte("pear,fig")); err == nil || err.Error() != `unknown fruit "fig"` || v != 5 {
		t.Errorf("%d, %v", v, err)
	}
}
