package pipeline

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// formatNumbers writes ascending numbers as ranges: 0-499,703.
func formatNumbers(numbers []int) string {
	var b strings.Builder
	for i := 0; i < len(numbers); {
		end := i + 1
		for end < len(numbers) && numbers[end] == numbers[end-1]+1 {
			end++
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(numbers[i]))
		if end-i > 1 {
			b.WriteByte('-')
			b.WriteString(strconv.Itoa(numbers[end-1]))
		}
		i = end
	}
	return b.String()
}

// parseNumbers reads what formatNumbers wrote, of numbers below limit; the empty
// text stands for all of them.
func parseNumbers(text string, limit int) ([]int, error) {
	if text == "" {
		text = fmt.Sprintf("0-%d", limit-1)
		if limit == 0 {
			return nil, nil
		}
	}
	var numbers []int
	next := 0
	for part := range strings.SplitSeq(text, ",") {
		first, last, isRange := strings.Cut(part, "-")
		from, err := strconv.Atoi(first)
		to := from
		if err == nil && isRange {
			to, err = strconv.Atoi(last)
		}
		if err != nil || from < next || to < from || to >= limit {
			return nil, fmt.Errorf("the numbers %q are not ascending ones below %d", text, limit)
		}
		for n := from; n <= to; n++ {
			numbers = append(numbers, n)
		}
		next = to + 1
	}
	return numbers, nil
}

// pick returns the elements of numbers at the indexes.
func pick(numbers, indexes []int) []int {
	picked := make([]int, len(indexes))
	for i, index := range indexes {
		picked[i] = numbers[index]
	}
	return picked
}

// merge puts ascending numbers together, ascending.
func merge(a, b []int) []int {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return all
}
